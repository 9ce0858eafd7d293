package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This is how init makes sockets for the caller, who can't enter its network
// namespaces. The rules of child.go hold.

// maker is what init and the kernel share of a request: numbers for pointers, as
// init may store none.
type maker struct {
	socket  int32 // init's end, 0 where none is asked for
	request socketRequest
	reply   [1]int32 // an errno, or 0 and a descriptor beside it
	vector  [2]uintptr
	header  struct {
		name, nameLength, vector, vectors, control, controlLength, flags uintptr // struct msghdr
	}
	control struct {
		length      uintptr
		level, kind int32
		fd, _       int32
	}
}

// socketRequest is what a SocketMaker sends: socket(2)'s arguments, or one of the
// commands in place of a family.
type socketRequest struct{ family, kind, protocol int32 }

const (
	requestNetwork = -1 // have init move to a new network namespace
	requestGoOn    = -2 // have init go on with its script
)

const controlSize = unsafe.Sizeof(maker{}.control)

// prepare stores what init may not: addresses within m, which does not move.
func (k *maker) prepare(socket int) {
	k.socket = int32(socket)
	k.vector = [2]uintptr{uintptr(unsafe.Pointer(&k.reply)), unsafe.Sizeof(k.reply)}
	k.header.vector, k.header.vectors = uintptr(unsafe.Pointer(&k.vector)), 1
	k.header.control = uintptr(unsafe.Pointer(&k.control))
	k.control.length = unix.SizeofCmsghdr + 4
	k.control.level, k.control.kind = unix.SOL_SOCKET, unix.SCM_RIGHTS
}

// makeSockets answers requests until there is none left to receive (flags have
// MSG_DONTWAIT) or init is told to go on. It is false when the other side is gone.
//
//go:nosplit
//go:norace
func makeSockets(m *machine, flags uintptr) bool {
	k := &m.maker
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(k.socket), uintptr(unsafe.Pointer(&k.request)), unsafe.Sizeof(k.request), flags, 0, 0)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return true
		case errno != 0 || n != unsafe.Sizeof(k.request):
			return false
		case k.request.family == requestGoOn:
			return true
		case k.request.family == requestNetwork:
			_, _, errno = syscall.RawSyscall6(unix.SYS_UNSHARE, unix.CLONE_NEWNET, 0, 0, 0, 0, 0)
			replySocket(k, 0, errno)
			continue
		}
		fd, _, errno := syscall.RawSyscall6(unix.SYS_SOCKET, uintptr(k.request.family), uintptr(k.request.kind)|unix.SOCK_CLOEXEC, uintptr(k.request.protocol), 0, 0, 0)
		if errno != 0 {
			replySocket(k, 0, errno)
			continue
		}
		replySocket(k, fd, 0)
		syscall.RawSyscall6(unix.SYS_CLOSE, fd, 0, 0, 0, 0, 0)
	}
}

// replySocket sends a descriptor, 0 for none, or an error.
//
//go:nosplit
//go:norace
func replySocket(k *maker, fd uintptr, errno syscall.Errno) {
	k.reply[0] = int32(errno)
	k.control.fd = int32(fd)
	k.header.controlLength = controlSize
	if fd == 0 {
		k.header.controlLength = 0
	}
	syscall.RawSyscall6(unix.SYS_SENDMSG, uintptr(k.socket), uintptr(unsafe.Pointer(&k.header)), unix.MSG_NOSIGNAL, 0, 0, 0)
}

// keepMaking has the kernel tell init of requests by SIGIO, among the signals
// that it waits for.
//
//go:nosplit
//go:norace
func keepMaking(m *machine) {
	pid, _, _ := syscall.RawSyscall6(unix.SYS_GETPID, 0, 0, 0, 0, 0, 0)
	syscall.RawSyscall6(unix.SYS_FCNTL, uintptr(m.maker.socket), unix.F_SETOWN, pid, 0, 0, 0)
	syscall.RawSyscall6(unix.SYS_FCNTL, uintptr(m.maker.socket), unix.F_SETFL, unix.O_ASYNC, 0, 0, 0)
	makeSockets(m, unix.MSG_DONTWAIT) // what came before
}
