package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// Kinds of sockets (socket(2)).
const (
	StreamSocket   = unix.SOCK_STREAM
	DatagramSocket = unix.SOCK_DGRAM
)

// Families of sockets (socket(2)).
const (
	IPv4 = unix.AF_INET
	IPv6 = unix.AF_INET6
)

// backlog bounds the connections that wait to be accepted.
const backlog = 128

// BindAny binds a socket to a port of every address of its family, and has one for
// streams listen there. EADDRINUSE: somebody else has.
func BindAny(socket *os.File, port uint16) error {
	fd := int(socket.Fd())
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	var address unix.Sockaddr = &unix.SockaddrInet4{Port: int(port)}
	if domain == IPv6 {
		address = &unix.SockaddrInet6{Port: int(port)}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, address); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if kind == unix.SOCK_STREAM {
		return os.NewSyscallError("listen", unix.Listen(fd, backlog))
	}
	return tellDestination(fd, domain)
}

// tellDestination has a socket for datagrams say to which address each came.
func tellDestination(fd, domain int) error {
	if domain == IPv6 {
		// IPv6 lets answers come from addresses of links alone, without this.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
}
