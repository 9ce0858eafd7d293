package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// send passes the descriptor in r through a socket (SCM_RIGHTS, unix(7)).
func (s *Script) send(socket int, r Reg, verb string) {
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
	s.Call(verb, "", unix.SYS_SENDMSG, socket, PointerTo(message), unix.MSG_NOSIGNAL)
}
