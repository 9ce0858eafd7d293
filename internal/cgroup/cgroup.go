// Package cgroup bounds what one run may use: it makes a control group for the
// run, on version 1, hybrid and version 2 systems, as root or where a group was
// delegated, and leaves nothing behind.
//
// The caller's loop:
//
//	g, err := cgroup.Create(cgroup.Limits{Memory: 512 << 20, Pids: 64})
//	// fork; the child writes "0" to each of g.Procs() and so joins by itself
//	// wait for the child
//	g.Kill()            // whatever the child left running
//	fmt.Println(g.Reasons())
//	g.Remove()
//
// The child joins by writing "0", which means the writer, so parent and child
// need no handshake. The kernel checks the permission of whoever opened the
// file, so the child may have given up its privileges before it writes.
//
// # When the caller is killed
//
// A group that its maker could not remove stays, empty, until the next Create
// in the same place sweeps it. The maker holds a lock (flock) on its group's
// folder for as long as it lives; a folder that can be locked has no maker left.
// Unlike a process id in the name, the lock is right across pid namespaces and
// never taken for another's.
package cgroup

import (
	"errors"
	"os"
)

// Limits are the bounds of one group. A zero field sets no bound, except Swap.
type Limits struct {
	Memory int64   // bytes of memory
	Swap   int64   // bytes of swap on top of Memory; used only with Memory, so that 0 means none
	Pids   int64   // processes and threads alive at once
	CPUs   float64 // processors' worth of time in each 100 ms: 0.5 is half of one; at least 0.01
}

// Group is one run's control group: a folder in each hierarchy it needs.
type Group struct {
	limits Limits
	tree   tree
	dirs   []*dir
}

// dir is a group's folder in one hierarchy.
type dir struct {
	path        string
	hierarchy   *Hierarchy
	controllers []string // those this folder bounds
	lock        *os.File // held as long as the maker lives, see sweep
	procs       *os.File
}

// Create makes a group with the limits below the caller's own group. Without
// any limit it makes an empty Group, whose methods do nothing. A controller
// that the kernel lacks or the caller may not use gives an [Error], which
// wraps [ErrUnavailable] and names the controller and the cure.
func Create(limits Limits) (*Group, error) {
	if limits == (Limits{}) {
		return &Group{}, nil
	}
	system, err := Discover()
	if err != nil {
		return nil, err
	}
	return system.Create(limits)
}

// Create is the package's Create on a system already discovered.
func (s *System) Create(limits Limits) (*Group, error) {
	if err := limits.check(); err != nil {
		return nil, err
	}
	g := &Group{limits: limits, tree: s.tree}
	for _, controller := range limits.controllers() {
		if err := s.bound(g, controller); err != nil {
			return nil, errors.Join(err, g.Remove())
		}
	}
	s.addFreezer(g)
	for _, d := range g.dirs {
		procs, err := os.OpenFile(d.path+"/cgroup.procs", os.O_WRONLY, 0)
		if err != nil {
			return nil, errors.Join(unavailable(d.controllers[0], err), g.Remove())
		}
		d.procs = procs
	}
	return g, nil
}

// Procs returns the open cgroup.procs files, one for each hierarchy; a process
// joins the group by writing "0" to all of them. They belong to the group and
// are closed on exec and by Remove.
func (g *Group) Procs() []*os.File {
	files := make([]*os.File, 0, len(g.dirs))
	for _, d := range g.dirs {
		files = append(files, d.procs)
	}
	return files
}

// bound makes sure the group has a folder that bounds the controller, and
// writes the controller's limit there.
func (s *System) bound(g *Group, controller string) error {
	h := s.find(controller)
	if h == nil {
		return unavailable(controller, errNoController)
	}
	d := g.in(h)
	if d == nil {
		var err error
		if d, err = s.makeDir(h, g.limits.controllers()); err != nil {
			return unavailable(controller, err)
		}
		g.dirs = append(g.dirs, d)
	}
	d.controllers = append(d.controllers, controller)
	if err := d.limit(controller, g.limits); err != nil {
		return unavailable(controller, err)
	}
	return nil
}

// in returns the group's folder in the hierarchy, or nil.
func (g *Group) in(h *Hierarchy) *dir {
	for _, d := range g.dirs {
		if d.hierarchy == h {
			return d
		}
	}
	return nil
}

// addFreezer joins version 1's freezer, which makes Kill certain. It is not a
// bound, so that doing without is no failure.
func (s *System) addFreezer(g *Group) {
	h := s.find(freezer)
	if h == nil || h.V2 || len(g.dirs) == 0 || g.dirs[0].hierarchy.V2 {
		return
	}
	if d := g.in(h); d != nil {
		d.controllers = append(d.controllers, freezer)
	} else if d, err := s.makeDir(h, nil); err == nil {
		d.controllers = []string{freezer}
		g.dirs = append(g.dirs, d)
	}
}
