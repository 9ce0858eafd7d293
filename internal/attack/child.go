package attack

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// inChild makes a system call in a child of its own with one thread, as calls
// like unshare want it, and returns its error. The clone flags are the child's.
func inChild(flags, nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	pid, errno := forkCall(flags|uintptr(unix.SIGCHLD), nr, &a)
	if errno != 0 {
		return errno
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(int(pid), &status, 0, nil)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return err
		}
	}
	if status.Signaled() {
		return fmt.Errorf("the child was killed by %v", status.Signal())
	}
	if code := status.ExitStatus(); code != 0 {
		return syscall.Errno(code)
	}
	return nil
}

// forkCall does in the child only what needs no Go runtime.
//
//go:norace
//go:nosplit
func forkCall(flags, nr uintptr, a *[6]uintptr) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	_, _, errno = syscall.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0, 0, 0, 0)
	}
}
