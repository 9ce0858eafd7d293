package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This is init's life once there is a target. The rules of child.go hold.

// serve is init's life: it reaps every orphan, hands signals on to the
// target's process group, and ends when the target does; the kernel then ends
// whatever else lives in the pid namespace.
//
//go:nosplit
//go:norace
func serve(m *machine, target uintptr) {
	all := allSignals
	if m.maker.socket != 0 {
		keepMaking(m)
	}
	for {
		sig, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&m.info)), 0, 8, 0, 0)
		if errno != 0 {
			continue
		}
		if sig == uintptr(unix.SIGIO) && m.maker.socket != 0 {
			makeSockets(m, unix.MSG_DONTWAIT)
			continue
		}
		if sig != uintptr(unix.SIGCHLD) {
			if sig == uintptr(unix.SIGTSTP) {
				sig = uintptr(unix.SIGSTOP) // a group outside the terminal's session ignores SIGTSTP
			}
			syscall.RawSyscall6(unix.SYS_KILL, -target, sig, 0, 0, 0, 0)
			continue
		}
		for {
			pid, errno := wait(m, unix.WNOHANG)
			if errno != 0 || pid == 0 {
				break
			}
			if pid == target {
				end(m)
			}
		}
	}
}

// holdEnding leaves nothing open in init but its end of the status pipe, as
// descriptor 0, and of a socket maker, as 1: a pipe whose last user is the target
// must end with it.
//
//go:nosplit
//go:norace
func holdEnding(m *machine) {
	syscall.RawSyscall6(unix.SYS_DUP3, uintptr(m.ending[1]), 0, unix.O_CLOEXEC, 0, 0, 0)
	first := uintptr(1)
	if m.maker.socket != 0 {
		syscall.RawSyscall6(unix.SYS_DUP3, uintptr(m.maker.socket), 1, unix.O_CLOEXEC, 0, 0, 0)
		m.maker.socket, first = 1, 2
	}
	syscall.RawSyscall6(unix.SYS_CLOSE_RANGE, first, uintptr(^uint32(0)), 0, 0, 0, 0)
}

//go:nosplit
//go:norace
func wait(m *machine, options uintptr) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&m.waited)), options, 0, 0, 0)
	return pid, errno
}

// end takes leave of a target that was just reaped.
//
//go:nosplit
//go:norace
func end(m *machine) {
	m.status = m.waited
	m.ended = 1
	endRest(m)
	exit(0)
}

// endRest kills and reaps what the target left running. Every orphan becomes
// init's child, so that nothing is left when there is no child to wait for.
//
//go:nosplit
//go:norace
func endRest(m *machine) {
	for {
		pid, errno := wait(m, unix.WNOHANG)
		if errno == syscall.ECHILD {
			m.alone = 1
			// The parent need not wait until the kernel has closed the pipe.
			syscall.RawSyscall6(unix.SYS_WRITE, 0, uintptr(unsafe.Pointer(&m.byte1)), 1, 0, 0, 0)
			return
		}
		if pid != 0 && errno == 0 {
			continue
		}
		if m.pidNamespace == 1 {
			syscall.RawSyscall6(unix.SYS_KILL, ^uintptr(0), uintptr(unix.SIGKILL), 0, 0, 0, 0)
		} else if !killChildren(m) {
			return
		}
		wait(m, 0)
	}
}

var childrenPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 't', 'h', 'r', 'e', 'a', 'd', '-', 's', 'e', 'l', 'f', '/', 'c', 'h', 'i', 'l', 'd', 'r', 'e', 'n', 0}

// killChildren kills init's children as /proc lists them (proc_pid_children(5)),
// and reports whether there was a list.
//
//go:nosplit
//go:norace
func killChildren(m *machine) bool {
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, ^uintptr(99), uintptr(unsafe.Pointer(&childrenPath)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return false
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&m.text)), uintptr(len(m.text)), 0, 0, 0)
	syscall.RawSyscall6(unix.SYS_CLOSE, fd, 0, 0, 0, 0, 0)
	if errno != 0 {
		return false
	}
	pid := uintptr(0)
	for i := range m.text {
		if uintptr(i) >= n {
			break // a number cut off at the end waits for the next list
		}
		if c := m.text[i]; c >= '0' && c <= '9' {
			pid = pid*10 + uintptr(c-'0')
			continue
		}
		if pid != 0 {
			syscall.RawSyscall6(unix.SYS_KILL, pid, uintptr(unix.SIGKILL), 0, 0, 0, 0)
		}
		pid = 0
	}
	return n > 0
}
