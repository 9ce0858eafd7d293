package jail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// wallSet holds the walls of one attempt.
type wallSet map[Wall]bool

func (w wallSet) has(wall Wall) bool { return w[wall] }

// Missing is a wall that the target runs without, and why.
type Missing struct {
	Wall Wall
	Why  error
}

// WallError is a wall that could not be built. Errno is 0 when the child died
// without a word.
type WallError struct {
	Wall  Wall
	Step  string // the operation and its object: `mount tmpfs on "/proc"`
	Errno syscall.Errno
}

func (e *WallError) Error() string {
	cause := "the starting process was killed"
	if e.Errno != 0 {
		cause = e.Errno.Error()
	}
	if e.Wall == "" {
		return fmt.Sprintf("%s: %s", e.Step, cause)
	}
	return fmt.Sprintf("build wall %q: %s: %s", e.Wall, e.Step, cause)
}

// Unwrap returns the errno, so that errors.Is finds it.
func (e *WallError) Unwrap() error { return e.Errno }

// namespaceWalls are the walls that fall together where a user may not create
// namespaces.
var namespaceWalls = []Wall{User, Mounts, Pids, Network, IPC, Hostname}

// initial returns the walls to try first.
func (s *Spec) initial(host host) wallSet {
	walls := wallSet{}
	for _, w := range Walls() {
		walls[w] = true
	}
	walls[User] = !host.privileged
	walls[Cgroup] = len(s.Procs) > 0
	if s.Only != nil {
		for wall := range walls {
			walls[wall] = walls[wall] && slices.Contains(s.Only, wall)
		}
	}
	return walls
}

// without returns the walls left after one could not be built, and those lost;
// an error means that the target may not start.
func (s *Spec) without(walls wallSet, failed *WallError) (lost []Wall, err error) {
	switch {
	case failed.Wall == "" || !walls[failed.Wall]:
		return nil, fmt.Errorf("%w%s", failed, cure(failed))
	case !s.Full && walls[User] && refusedNamespaces(failed):
		lost = namespaceWalls
	case !s.Full && fixedRoot(failed):
		lost = []Wall{Mounts}
	case !s.Full && fixedName(failed):
		lost = []Wall{Hostname}
	case slices.Contains(s.Optional, failed.Wall):
		lost = []Wall{failed.Wall}
	default:
		return nil, fmt.Errorf("%w%s", failed, cure(failed))
	}
	if s.Relay != nil && (slices.Contains(lost, Network) || slices.Contains(lost, Mounts)) {
		return nil, fmt.Errorf("relay the network: only namespaces keep the program to it, and %w%s", failed, cure(failed))
	}
	if slices.Contains(lost, Mounts) {
		if err := s.withoutMounts(failed); err != nil {
			return nil, err
		}
	}
	if slices.Contains(lost, Landlock) && walls[TCPPorts] && s.Ports.handled() != 0 {
		if !slices.Contains(s.Optional, TCPPorts) {
			return nil, fmt.Errorf("build wall %q: only Landlock restricts TCP ports, and %w: name %q optional, too", TCPPorts, failed, TCPPorts)
		}
		lost = append(slices.Clone(lost), TCPPorts)
	}
	return slices.DeleteFunc(slices.Clone(lost), func(w Wall) bool { return !walls[w] }), nil
}

// refusedNamespaces tells a user who may not have namespaces, or has them
// without power (AppArmor), from any other failure.
func refusedNamespaces(failed *WallError) bool {
	if !slices.Contains(namespaceWalls, failed.Wall) {
		return false
	}
	switch failed.Errno {
	case syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EINVAL, syscall.ENOSYS, syscall.EUSERS:
		if failed.Step == sys.CloneStep || failed.Step == sys.NetworkStep || failed.Step == sys.PrivateStep {
			return true
		}
	}
	// Ids that root may not map without CAP_SETFCAP, and a container's read-only
	// /proc/sys, so that further user namespaces can't be forbidden.
	return failed.Wall == User && (failed.Errno == syscall.EPERM || failed.Errno == syscall.EROFS)
}

// fixedRoot tells a root that can't be exchanged: a chroot's or an initramfs's
// is no mount point; a container's filter refuses it (Docker's does, whatever
// the capabilities); or its /proc is masked, and the kernel mounts none that
// shows more (fs/namespace.c, mount_too_revealing).
func fixedRoot(failed *WallError) bool {
	switch failed.Errno {
	case syscall.EINVAL:
		return failed.Step == sys.PrivateStep || failed.Step == sys.PivotStep
	case syscall.EPERM:
		return failed.Step == sys.PivotStep || strings.HasPrefix(failed.Step, sys.MountStep("proc"))
	}
	return false
}

// fixedName tells a filter, as podman's, that refuses to name even a host of
// one's own.
func fixedName(failed *WallError) bool {
	return failed.Wall == Hostname && failed.Errno == syscall.EPERM
}

// withoutMounts refuses what only mounts can do: to withhold a part of a folder
// that the target may write to.
func (s *Spec) withoutMounts(failed *WallError) error {
	for _, inner := range s.Mounts {
		if inner.Kind == Copy {
			return fmt.Errorf("%s: execute %q by its digest: only mounts can have a copy stand in for it, and %w: "+
				"list it under exec, without its digest, or allow user namespaces (callgate doctor says how)", inner.at, inner.Target, failed)
		}
		if inner.Kind == Text && inner.at != "" {
			return fmt.Errorf("%s: give %q a text of its own: only mounts can, and %w: "+
				"remove it from content, or allow user namespaces (callgate doctor says how)", inner.at, inner.Target, failed)
		}
		if inner.Kind == Hidden && within(inner.Target, "/proc") {
			return fmt.Errorf("withhold %q inside \"/proc\": only mounts can, and %w: "+
				"write proc: none, or allow user namespaces (callgate doctor says how)", inner.Target, failed)
		}
		if outer, ok := s.around(inner); ok && outer.Access&Write != 0 && outer.Access&^inner.Access != 0 {
			return fmt.Errorf("withhold %q inside %q, which is writable: only mounts can, and %w: "+
				"grant folders beside it instead, or allow user namespaces (callgate doctor says how)",
				inner.Target, outer.Target, failed)
		}
	}
	return nil
}

// within reports whether path lies below folder.
func within(path, folder string) bool {
	return path != folder && (folder == "/" || strings.HasPrefix(path, folder+"/"))
}

// unheard reports whether an attempt failed for a listener that may be left out:
// a program has one at most, a supervisor's around callgate included.
func (s *Spec) unheard(failed *WallError) bool {
	return failed.Wall == Filter && s.Listener != nil && s.Unheard
}

func cure(failed *WallError) string {
	switch {
	case errors.Is(failed, syscall.EAGAIN):
		return ": no process left: raise the pids limit around callgate, or RLIMIT_NPROC"
	case failed.Step == sys.GroupsStep, strings.HasPrefix(failed.Step, sys.GiveStep):
		return ": only root changes users, in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN: run so, or without --user"
	case failed.Wall == Network && errors.Is(failed, syscall.EOPNOTSUPP):
		return ": this kernel has no pairs of links: load its module veth, or leave --net and --publish out"
	case errors.Is(failed, syscall.ENOSYS), errors.Is(failed, syscall.EOPNOTSUPP):
		return fmt.Sprintf(": this kernel lacks it (callgate doctor says what does); name %q optional to run without", failed.Wall)
	case failed.Step == sys.CloneStep || failed.Step == sys.NetworkStep || failed.Step == sys.PrivateStep:
		return ": this user may not create namespaces (callgate doctor says how to allow them)"
	case failed.Wall == Filter && errors.Is(failed, syscall.EBUSY):
		return ": a supervisor around callgate has the one listener that a program may have: leave --explain, --audit, --ask and patterns of files out, or run it with -q if it is a callgate"
	case refusedNamespaces(failed) || fixedRoot(failed) || fixedName(failed):
		return ": namespaces can't be used in full here (callgate doctor says why, and the cure)"
	}
	return ""
}

// cloneWall is the wall that a failing clone is blamed on.
func cloneWall(walls wallSet) Wall {
	if walls[User] {
		return User
	}
	for _, w := range namespaceWalls {
		if walls[w] {
			return w
		}
	}
	return ""
}
