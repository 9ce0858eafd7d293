package jail

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/sys"
)

// plan is a Spec turned into the steps that build it. The early steps and the
// init script build what the target must not be able to undo; the target script
// gives up powers, from the outside in, and executes the program. The two are
// walked at once, but for where the target awaits what init makes.
type plan struct {
	early        sys.Early
	init, target *sys.Script
	root         *rootBuilder
}

// planEarly plans what depends on no path: init does it while the rest of the
// plan is made.
func (s *Spec) planEarly(host host, walls wallSet) *plan {
	p := &plan{init: &sys.Script{}, target: &sys.Script{}}
	script := p.init
	if walls.has(Mounts) && !walls.has(Cgroup) {
		script.Wall("")
		script.NewCgroupRoot()
	}
	if walls.has(User) {
		script.Wall(string(User))
		s.planUser(script, host)
	}
	if walls.has(Hostname) {
		script.Wall(string(Hostname))
		script.Hostname(s.Hostname)
	}
	if walls.has(Network) && s.Relay != nil {
		script.Wall(string(Network))
		script.AcceptAnySource()
		script.MakeSockets()
		script.OpenPorts()
	}
	if walls.has(Mounts) {
		script.Wall(string(Mounts))
		p.root = s.beginRoot(script, host)
	}
	p.early.Init = script.Cut()
	p.early.Target, p.early.Listens = s.planTargetEarly(p.target, walls), s.Listener != nil
	return p
}

// complete plans the rest.
func (p *plan) complete(s *Spec, host host, walls wallSet, between channels) error {
	if i := slices.IndexFunc(s.Mounts, func(m Mount) bool { return m.Kind == Text && m.at != "" }); i >= 0 && p.root == nil {
		return fmt.Errorf("%s: give %q a text of its own: only mounts can", s.Mounts[i].at, s.Mounts[i].Target)
	}
	if i := slices.IndexFunc(s.Mounts, func(m Mount) bool { return m.Kind == Copy }); i >= 0 && p.root == nil {
		return fmt.Errorf("%s: execute %q by its digest: only mounts can have a copy stand in for it", s.Mounts[i].at, s.Mounts[i].Target)
	}
	if p.root != nil {
		copies, err := s.copies()
		if err != nil {
			return err
		}
		p.root.copies = copies
		p.init.Wall(string(Mounts))
		s.finishRoot(p.root)
	}
	if s.ownNetwork(walls) {
		p.init.Wall(string(Network))
		p.init.JoinNetwork()
	}
	p.init.Wall("")
	p.init.Reach(sys.RootMade)
	if p.root != nil {
		p.init.Wall(string(Mounts))
		p.init.DropOldRoot() // which waits for the kernel: the target need not
	}
	if walls.has(Pids) {
		p.init.Wall(string(Pids))
	} else {
		p.init.Wall("")
		p.init.AdoptOrphans()
	}
	p.init.Undumpable()
	return s.planTarget(p.target, host, walls, between)
}

// reachable returns the limit as far as the caller may set it: one that is lower
// already stays, since only CAP_SYS_RESOURCE raises a hard limit.
func (l Limit) reachable(host host) (soft, hard uint64) {
	var own syscall.Rlimit
	if host.raisesLimits || syscall.Getrlimit(l.Resource, &own) != nil {
		return l.Soft, l.Hard
	}
	return min(l.Soft, own.Max), min(l.Hard, own.Max)
}

// planUser maps the caller's own ids to themselves, the one mapping a user may
// write without help, and closes the door to further user namespaces.
func (s *Spec) planUser(script *sys.Script, host host) {
	script.WriteFile("/proc/self/setgroups", "deny")
	script.WriteFile("/proc/self/uid_map", fmt.Sprintf("%d %d 1", host.uid, host.uid))
	script.WriteFile("/proc/self/gid_map", fmt.Sprintf("%d %d 1", host.gid, host.gid))
	script.WriteFile("/proc/sys/user/max_user_namespaces", "0")
}

// ownNetwork reports whether the target makes a network namespace of its own. One
// with a relay is made by init and callgate.
func (s *Spec) ownNetwork(walls wallSet) bool {
	return walls.has(Network) && !s.HostNetwork && s.Relay == nil
}

// planTargetEarly plans what the target does while init begins its root. It is
// in no cgroup yet, which so doesn't pay for it.
func (s *Spec) planTargetEarly(script *sys.Script, walls wallSet) []sys.Step {
	if s.ownNetwork(walls) {
		if walls.has(Mounts) && !walls.has(Cgroup) {
			script.NewCgroupRoot() // init's comes too late for it
		}
		script.Wall(string(Network))
		script.UnshareNetwork()
		script.LoopbackUp()
		script.Reach(sys.NetworkMade)
	}
	return script.Cut()
}

func (s *Spec) planTarget(script *sys.Script, host host, walls wallSet, between channels) error {
	if walls.has(Cgroup) {
		s.planCgroup(script, walls)
	}
	script.Wall("")
	script.NewSession()
	if walls.has(Limits) {
		script.Wall(string(Limits))
		for _, l := range s.Limits {
			soft, hard := l.reachable(host)
			script.Limit(l.Resource, soft, hard)
		}
	}
	if walls.has(Capabilities) {
		script.Wall(string(Capabilities))
		s.planBounding(script, host, walls)
	}
	script.Wall("")
	script.Await(sys.RootMade)
	s.planStreams(script, between)
	script.Umask(s.Umask)
	if walls.has(Mounts) {
		script.Chdir(cmp.Or(s.Dir, "/")) // out of the old root in any case
	} else if s.Dir != "" {
		script.Chdir(s.Dir)
	}
	if walls.has(Capabilities) {
		script.Wall(string(Capabilities))
		s.planPrivileges(script, host, walls)
	}
	script.NoNewPrivileges()
	if walls.has(Landlock) {
		script.Wall(string(Landlock))
		if err := s.planLandlock(script, host, walls); err != nil {
			return err
		}
	}
	script.Wall("")
	script.Await(sys.Ready)
	script.SignalMask()
	if walls.has(Filter) {
		script.Wall(string(Filter))
		if err := s.planFilter(script, walls, between); err != nil {
			return err
		}
	}
	script.Wall("")
	candidates, err := s.candidates()
	if err != nil {
		return err
	}
	script.Exec(candidates, s.Args, s.Env)
	return nil
}

// planCgroup has the target join by itself, and not init: init shares callgate's
// memory, and the kernel, out of memory in the group, would choose the two.
func (s *Spec) planCgroup(script *sys.Script, walls wallSet) {
	script.Wall(string(Cgroup))
	for _, procs := range s.Procs {
		script.JoinCgroup(procs.Fd(), filepath.Base(filepath.Dir(procs.Name())))
	}
	script.Wall("")
	if walls.has(Mounts) {
		script.NewCgroupRoot() // so that the joined group is the root of what is seen
	}
}

func (s *Spec) planFilter(script *sys.Script, walls wallSet, between channels) error {
	program, err := s.Filter(walls.has)
	if err != nil {
		return err
	}
	instructions := make([]sys.FilterInstruction, len(program))
	for i, in := range program {
		instructions[i] = sys.FilterInstruction{Code: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if between.listener == nil {
		script.Filter(instructions)
		return nil
	}
	flags := sys.WaitKillable
	if s.Unheard || sys.HasKillableWait() != nil { // asking takes a thread, which a run that is to cost nothing does not pay
		flags = 0
	}
	script.Listen(instructions, flags, int(between.listener.theirs.Fd()), !letsExecute(program))
	return nil
}

// letsExecute reports whether no call that ends a target's script stops.
func letsExecute(program filter.Program) bool {
	native := abi.Native()
	for _, name := range [...]string{"execve", "exit_group"} {
		if number, ok := native.Number(name); !ok || !program.ConstantAllow(native.Audit(), number) {
			return false
		}
	}
	return true
}

// cloneFlags names the namespaces that init is born into: all but a network that
// the target makes.
func (s *Spec) cloneFlags(walls wallSet) (flags uintptr) {
	for _, n := range [...]struct {
		wall Wall
		flag uintptr
	}{
		{User, sys.NewUser},
		{Mounts, sys.NewMounts},
		{Pids, sys.NewPids},
		{IPC, sys.NewIPC},
		{Hostname, sys.NewUTS},
	} {
		if walls.has(n.wall) {
			flags |= n.flag
		}
	}
	if walls.has(Network) && s.Relay != nil {
		flags |= sys.NewNetwork
	}
	return flags
}

// descriptors are those of the caller that the target's script needs.
func (s *Spec) descriptors(between channels) []int {
	list := append([]int{0, 1, 2}, s.Keep...) // the first three stay taken until the streams are there
	for _, procs := range s.Procs {
		list = append(list, int(procs.Fd()))
	}
	if between.terminal == nil {
		list = append(list, int(s.Stdin.Fd()), int(s.Stdout.Fd()), int(s.Stderr.Fd()))
	}
	return append(list, between.descriptors()...)
}

// planStreams closes every descriptor but the declared ones. Standard streams
// come first, so that a kept descriptor can't be overwritten by them.
func (s *Spec) planStreams(script *sys.Script, between channels) {
	script.CloseOnExec(3)
	if between.terminal != nil {
		script.Terminal(int(between.terminal.theirs.Fd()))
	} else {
		for fd, file := range []*os.File{s.Stdin, s.Stdout, s.Stderr} {
			if from := int(file.Fd()); from != fd {
				script.Duplicate(from, fd)
			}
		}
	}
	for _, fd := range s.Keep {
		if fd > 2 {
			script.KeepOpen(fd)
		}
	}
}

// planBounding gives up for good what was not granted. What the target still
// holds, to set itself up with, planPrivileges takes.
func (s *Spec) planBounding(script *sys.Script, host host, walls wallSet) {
	if !host.dropsBounding && !walls.has(User) {
		return
	}
	for c := 0; c <= host.lastCapability; c++ {
		if !slices.Contains(s.Capabilities, c) {
			script.DropBounding(c)
		}
	}
	script.NoRootPowers()
}

// planPrivileges empties the capability sets but for what was granted.
func (s *Spec) planPrivileges(script *sys.Script, host host, walls wallSet) {
	switch {
	case s.UID >= 0:
		script.SetUser(s.UID, s.GID)
		script.DieWithParent() // which a change of user ends (prctl(2))
	case host.setsGroups && !walls.has(User): // which bars its use
		script.DropGroups()
	}
	script.SetCapabilities(s.Capabilities)
}

// candidates lists the paths to try for the program, as execvp(3) would.
func (s *Spec) candidates() ([]string, error) {
	name := s.Args[0]
	if name == "" {
		return nil, fmt.Errorf("execute %q: the program's name is empty: name one", name)
	}
	if strings.Contains(name, "/") {
		if s.From != "" && !filepath.IsAbs(name) {
			name = filepath.Join(s.From, name)
		}
		return []string{name}, nil
	}
	path := "/usr/local/bin:/usr/bin:/bin"
	if value, ok := variable(s.Env, "PATH"); ok {
		path = value
	}
	if path == "" { // the same as ":", of which SplitList makes nothing
		path = "."
	}
	var list []string
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		list = append(list, filepath.Join(dir, name))
	}
	return list, nil
}
