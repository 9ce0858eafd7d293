package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrUnavailable is wrapped by every error of a controller that can't be used here.
var ErrUnavailable = errors.New("control group controller unavailable")

var (
	errNoController  = errors.New("no hierarchy with this controller is mounted")
	errNotDelegated  = errors.New("no controller")
	errV1Denied      = errors.New("the group is another user's")
	errNoSwapAccount = errors.New("the kernel does not account swap")
)

// Error is a controller that can't be used, and what would help.
type Error struct {
	Controller string // "memory", "pids", "cpu"
	Cure       string
	Err        error
}

func unavailable(controller string, err error) error {
	return &Error{Controller: controller, Cure: cure(controller, err), Err: err}
}

func (e *Error) Error() string {
	return fmt.Sprintf("limit %s: %v (%s)", e.Controller, e.Err, e.Cure)
}

// Unwrap gives errors.Is both the name of the failure and its cause.
func (e *Error) Unwrap() []error { return []error{ErrUnavailable, e.Err} }

func cure(controller string, err error) string {
	const delegate = "systemd-run --user --scope -p Delegate=yes -- callgate run …"
	switch {
	case errors.Is(err, errNoController):
		return fmt.Sprintf("mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup; a kernel may need cgroup_enable=%s at boot", controller)
	case errors.Is(err, errNotDelegated):
		return "have the controller handed down to you: " + delegate
	case errors.Is(err, syscall.EROFS):
		return "the tree is mounted read-only, as in a container: docker run --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup"
	case errors.Is(err, syscall.EBUSY):
		return "move the processes of the topmost group into one below it, or in a container use docker run --cgroupns=host"
	case errors.Is(err, errV1Denied):
		return "run as root, or have root make you a group of your own in this hierarchy and start callgate in it"
	case errors.Is(err, fs.ErrPermission):
		return "run as root, or in a group of your own: " + delegate
	case errors.Is(err, errNoSwapAccount):
		return "boot with swapaccount=1, or turn swap off: swapoff -a"
	}
	return "callgate needs /proc and the hierarchies mounted, as a system usually has them"
}
