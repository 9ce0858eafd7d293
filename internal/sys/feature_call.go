package sys

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The functions of this file find out whether the kernel, and any filter
// around this process, take a call. They change nothing. Each returns nil, or
// the error a real use would meet first: ENOSYS from an old kernel, ENOSYS or
// EPERM from a filter.

// answers makes a call that a kernel which knows it refuses with want, before
// it does anything and whatever the caller's privilege.
func answers(want unix.Errno, nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	switch errno {
	case want:
		return nil
	case 0:
		return errors.New("the call was taken that should have been refused")
	}
	return errno
}

const none = ^uintptr(0) // no descriptor, and flags that no call has

// HasMountSetattr asks for mount_setattr(2): attributes of no size are EINVAL.
func HasMountSetattr() error {
	return answers(unix.EINVAL, unix.SYS_MOUNT_SETATTR, none, 0, 0, 0, 0)
}

// HasOpenTree asks for open_tree(2), which came together with move_mount(2):
// unknown flags are EINVAL.
func HasOpenTree() error {
	return answers(unix.EINVAL, unix.SYS_OPEN_TREE, none, 0, uintptr(1<<30))
}

// HasClone3 asks for clone3(2): arguments of no size are EINVAL.
func HasClone3() error {
	return answers(unix.EINVAL, unix.SYS_CLONE3, 0, 0)
}

// HasOpenat2 asks for openat2(2) by opening "/" without following links.
func HasOpenat2() error {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// HasCloseRange asks for close_range(2) with CLOSE_RANGE_CLOEXEC, on a
// descriptor number that can't be open.
func HasCloseRange() error {
	return unix.CloseRange(uint(^uint32(0)), uint(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
}

// HasPidfdOpen asks for pidfd_open(2) on this process.
func HasPidfdOpen() error {
	return withPidfd(func(int) error { return nil })
}

// HasPidfdGetfd asks for pidfd_getfd(2) by copying a descriptor of this process.
func HasPidfdGetfd() error {
	return withPidfd(func(pidfd int) error {
		fd, err := unix.PidfdGetfd(pidfd, pidfd, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	})
}

// HasPidfdWait asks whether waitid(2) takes a pidfd. This process is not its
// own child, so that a kernel which does answers ECHILD.
func HasPidfdWait() error {
	return withPidfd(func(pidfd int) error {
		return answers(unix.ECHILD, unix.SYS_WAITID, unix.P_PIDFD, uintptr(pidfd), 0, unix.WEXITED|unix.WNOHANG)
	})
}

func withPidfd(use func(pidfd int) error) error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return use(fd)
}

// HasNoNewPrivs sets no_new_privs on a thread that then ends.
func HasNoNewPrivs() error {
	return OnDoomedThread(func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
}

// HasAmbientCapabilities asks for ambient capabilities; where the caller has a
// capability to give, it raises one on a thread that then ends.
func HasAmbientCapabilities() error {
	if _, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, 0, 0, 0); err != nil {
		return err
	}
	return OnDoomedThread(func() error {
		own, err := OwnCapabilities()
		if err != nil || own.Permitted == 0 {
			return err
		}
		own.Inheritable = own.Permitted & own.Bounding
		if err := SetCapabilities(own); err != nil {
			return err
		}
		for n := range CapLast() + 1 {
			if own.Inheritable.Has(n) {
				return RaiseAmbient(n)
			}
		}
		return nil
	})
}

// KernelRelease returns what uname -r prints.
func KernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// SeccompActionKnown asks whether the kernel knows a filter's action (SECCOMP_RET_*).
func SeccompActionKnown(action uint32) error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errnoErr(errno)
}

// HasLandlock confines a thread that then ends with a ruleset of everything
// this kernel handles, and returns the kernel's ABI.
func HasLandlock() (abi int, err error) {
	if abi, err = LandlockABI(); err != nil {
		return 0, err
	}
	var attr LandlockRulesetAttr
	attr.HandledFS, attr.HandledNet, attr.Scoped = LandlockHandled(abi)
	ruleset, err := LandlockCreateRuleset(&attr)
	if err != nil {
		return 0, err
	}
	defer unix.Close(ruleset)
	err = OnDoomedThread(func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		return LandlockRestrictSelf(ruleset, 0)
	})
	return abi, err
}
