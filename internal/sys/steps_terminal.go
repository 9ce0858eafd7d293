package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Terminal makes a new pseudoterminal the controlling terminal and the standard
// streams, and sends its other side through the socket. The process must lead a
// session; the terminal comes from the /dev it sees, so that programs find its
// name there.
func (s *Script) Terminal(socket int) {
	master, slave := s.Reg(), s.Reg()
	s.Call("open", "/dev/ptmx", unix.SYS_OPENAT, Here, "/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC).Into(master)
	s.Call("unlock terminal", "", unix.SYS_IOCTL, master, unix.TIOCSPTLCK, PointerTo(new(int32)))
	s.Call("open terminal", "", unix.SYS_IOCTL, master, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC).Into(slave)
	s.send(socket, master)
	s.Close(master)
	s.Call("take terminal", "", unix.SYS_IOCTL, slave, unix.TIOCSCTTY, 0)
	for fd := range 3 {
		s.Duplicate(slave, fd)
	}
}

// send passes the descriptor in r through a socket (SCM_RIGHTS, unix(7)).
func (s *Script) send(socket int, r Reg) {
	control := &struct {
		unix.Cmsghdr
		fd int32
		_  int32
	}{}
	control.Level, control.Type = unix.SOL_SOCKET, unix.SCM_RIGHTS
	control.SetLen(unix.CmsgLen(4))
	text := []byte{0} // a message must carry a byte
	vector := &unix.Iovec{Base: &text[0]}
	vector.SetLen(1)
	message := &unix.Msghdr{Iov: vector, Control: (*byte)(unsafe.Pointer(control))}
	message.SetIovlen(1)
	message.SetControllen(int(unsafe.Sizeof(*control)))
	s.Store32(PointerTo(&control.fd), r)
	s.Call("hand over terminal", "", unix.SYS_SENDMSG, socket, PointerTo(message), unix.MSG_NOSIGNAL)
}
