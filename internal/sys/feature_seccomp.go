package sys

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// HasFilter installs a seccomp filter that allows everything on a thread that
// then ends. It works below other filters too.
func HasFilter() error {
	return OnDoomedThread(func() error {
		_, err := allowAll(0)
		return err
	})
}

// HasNotify installs a filter with a listener on a thread that then ends.
// EBUSY: a filter around this process has the one listener a task may have.
func HasNotify() error { return hasListener(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER) }

// HasKillableWait does as HasNotify, and asks that a signal which does not kill
// leaves a waiting task waiting (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
// EINVAL: the kernel lacks it.
func HasKillableWait() error {
	return hasListener(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
}

func hasListener(flags uintptr) error {
	return OnDoomedThread(func() error {
		listener, err := allowAll(flags)
		if err == nil {
			unix.Close(listener)
		}
		return err
	})
}

// allowAll filters the calling thread with a program that allows everything.
func allowAll(flags uintptr) (listener int, err error) {
	// Without CAP_SYS_ADMIN this comes first; with it, it does no harm on a doomed thread.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, err
	}
	allow := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	program := unix.SockFprog{Len: 1, Filter: &allow[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(&allow)
	return int(fd), errnoErr(errno)
}
