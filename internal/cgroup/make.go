package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
)

// prefix starts the name of every group callgate makes.
const prefix = "callgate-"

// makeDir makes a folder for the group in the hierarchy and locks it. On
// version 2 need lists the controllers it must have.
func (s *System) makeDir(h *Hierarchy, need []string) (*dir, error) {
	parent := h.Own
	if h.V2 {
		var err error
		if parent, err = parentV2(h, need); err != nil {
			return nil, err
		}
	}
	s.sweep(parent)
	// A name is taken when another callgate of the same process id, in another
	// pid namespace, has it, and lost when a sweep came between mkdir and lock.
	const tries = 64
	for n := range tries {
		name := fmt.Sprintf("%s/%s%d-%d", parent, prefix, os.Getpid(), n)
		err := s.tree.mkdir(name)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil && !h.V2 && errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("%w: %w", errV1Denied, err)
		}
		if err != nil {
			return nil, err
		}
		if lock := lockDir(name); lock != nil {
			return &dir{path: name, hierarchy: h, lock: lock}, nil
		}
	}
	return nil, fmt.Errorf("make a group in %q: %d names are taken", parent, tries)
}

// lockDir opens and locks a folder, or returns nil when another process has
// the lock or the folder is gone.
func lockDir(name string) *os.File {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		held, err1 := f.Stat()
		there, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(held, there) {
			return f
		}
	}
	f.Close()
	return nil
}

// sweep removes the groups in parent whose makers are gone. It kills nothing:
// a group that still holds processes stays for a later sweep.
func (s *System) sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		name := path.Join(parent, entry.Name())
		if lock := lockDir(name); lock != nil {
			s.tree.remove(name)
			lock.Close()
		}
	}
}

// parentV2 finds the nearest group, from the caller's own upwards, below which
// the caller may make a group with the controllers and move a process of its
// own there. It is the caller's own group only where that holds no process,
// which the kernel demands of a group that hands out controllers; on a systemd
// system it is the slice the caller's scope is in.
func parentV2(h *Hierarchy, need []string) (string, error) {
	var errs []error
	for dir := h.Own; ; dir = path.Dir(dir) {
		err := usableV2(dir, need)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
		if dir == h.Mount || dir == "/" {
			return "", worst(errs)
		}
	}
}

// worst picks the error to report: the first that is not the everyday
// "the group has processes in it".
func worst(errs []error) error {
	for _, err := range errs {
		if !errors.Is(err, syscall.EBUSY) {
			return err
		}
	}
	return errs[0]
}

func usableV2(dir string, need []string) error {
	if err := has(dir+"/cgroup.controllers", need); err != nil {
		return err
	}
	// Moving a process needs the right to write the common ancestor's
	// cgroup.procs (cgroup-v2.rst, "Delegation Containment").
	for _, name := range []string{dir, dir + "/cgroup.procs"} {
		const write = 2
		if err := syscall.Access(name, write); err != nil {
			return &os.PathError{Op: "write", Path: name, Err: err}
		}
	}
	if len(need) == 0 {
		return nil
	}
	if err := handsOut(dir); err != nil {
		return err
	}
	control := dir + "/cgroup.subtree_control"
	if has(control, need) == nil {
		return nil
	}
	f, err := os.OpenFile(control, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("+" + strings.Join(need, " +"))
	return errors.Join(err, f.Close())
}

// handsOut fails with EBUSY where a group can't bound groups below it: it holds
// processes itself, or is threaded. The kernel says so of memory, but for pids
// or cpu alone it makes a group with processes threaded, and then lets no
// process into what is below (cgroup-v2.rst, "Threads").
func handsOut(dir string) error {
	kind, err := os.ReadFile(dir + "/cgroup.type")
	if errors.Is(err, os.ErrNotExist) {
		return nil // the root of the whole tree, which may hold processes
	}
	if err != nil {
		return err
	}
	if string(kind) == "domain\n" {
		processes, err := os.ReadFile(dir + "/cgroup.procs")
		if err != nil || len(processes) == 0 {
			return err
		}
	}
	return &os.PathError{Op: "hand out controllers of", Path: dir, Err: syscall.EBUSY}
}

// has tells whether a file of controllers lists all that are needed.
func has(file string, need []string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	list := " " + strings.Join(strings.Fields(string(content)), " ") + " "
	for _, controller := range need {
		if !strings.Contains(list, " "+controller+" ") {
			return fmt.Errorf("read %q: %w %q", file, errNotDelegated, controller)
		}
	}
	return nil
}
