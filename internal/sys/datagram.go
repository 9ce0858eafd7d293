package sys

import (
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DestinationOf returns the address that a datagram was sent to, from what came
// beside it on a socket of BindAny (IP_PKTINFO, ip(7); IPV6_PKTINFO, ipv6(7)).
func DestinationOf(control []byte) (netip.Addr, bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return netip.Addr{}, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo {
			return netip.AddrFrom16((*unix.Inet6Pktinfo)(unsafe.Pointer(&m.Data[0])).Addr), true
		}
		if m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo {
			return netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&m.Data[0])).Addr), true
		}
	}
	return netip.Addr{}, false
}

// SourceControl goes beside a datagram that is to come from an address.
func SourceControl(from netip.Addr) []byte {
	if from.Is6() {
		return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: from.As16()})
	}
	return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.As4()})
}

// connectPatience is how long a connection over a loopback may take, in
// milliseconds: only one to a server that doesn't accept takes any time.
const connectPatience = 5000

// ConnectLoopback connects a nonblocking TCP socket to a port of 127.0.0.1 in its
// network namespace. ECONNREFUSED: nobody listens there; ETIMEDOUT: nobody accepts.
func ConnectLoopback(socket *os.File, port uint16) error {
	fd := int(socket.Fd())
	err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
	if err != unix.EINPROGRESS && err != unix.EINTR {
		return os.NewSyscallError("connect", err)
	}
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(ready, connectPatience)
	for err == unix.EINTR {
		n, err = unix.Poll(ready, connectPatience)
	}
	if err == nil && n == 0 {
		return os.NewSyscallError("connect", unix.ETIMEDOUT)
	}
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	return os.NewSyscallError("connect", err)
}
