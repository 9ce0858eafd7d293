package sys

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// PacketSocket are the arguments of socket(2) for Packets (raw(7)). A socket of
// packet(7) would do, too, but closing one waits for every processor.
var PacketSocket = [3]int{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP}

// PacketSocket6 is PacketSocket for IPv6.
var PacketSocket6 = [3]int{unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_TCP}

// Packets is a socket for packets of TCP with their IP headers, of one network
// namespace and of one version of IP.
type Packets struct {
	socket *os.File
	six    bool
}

// Instructions of classic BPF that the two programs below need (bpf(4), and
// include/uapi/linux/filter.h for the ancillary data).
const (
	loadByte        = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadWord        = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	loadByteIndexed = unix.BPF_LD | unix.BPF_B | unix.BPF_IND
	loadIPLength    = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
	and             = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	jumpEqual       = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ret             = unix.BPF_RET | unix.BPF_K

	ancillary = ^uint32(0) - 0x1000 + 1 // SKF_AD_OFF
	linkOf    = ancillary + 8           // SKF_AD_IFINDEX

	flagsSYN, flagsSYNACK = 0x02, 0x12 // of TCP's flags
	all                   = ^uint32(0)
)

// WatchConnections has a socket receive the packets that come in by a link and
// begin a TCP connection over IPv4, besides whoever listens.
func WatchConnections(socket *os.File, link int) (*Packets, error) {
	fd := int(socket.Fd())
	err := attachFilter(fd, []unix.SockFilter{
		{Code: loadWord, K: linkOf},
		{Code: jumpEqual, K: uint32(link), Jf: 5},
		{Code: loadIPLength, K: 0},
		{Code: loadByteIndexed, K: 13}, // flags
		{Code: and, K: flagsSYNACK},
		{Code: jumpEqual, K: flagsSYN, Jf: 1},
		{Code: ret, K: all},
		{Code: ret, K: 0},
	})
	if err != nil {
		return nil, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_HDRINCL, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	return &Packets{socket: socket}, nil
}

// WatchConnections6 is WatchConnections for IPv6, of which such a socket receives
// no header.
func WatchConnections6(socket *os.File, link int) (*Packets, error) {
	fd := int(socket.Fd())
	err := attachFilter(fd, []unix.SockFilter{
		{Code: loadWord, K: linkOf},
		{Code: jumpEqual, K: uint32(link), Jf: 4},
		{Code: loadByte, K: 13}, // flags
		{Code: and, K: flagsSYNACK},
		{Code: jumpEqual, K: flagsSYN, Jf: 1},
		{Code: ret, K: all},
		{Code: ret, K: 0},
	})
	if err != nil {
		return nil, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_HDRINCL, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	return &Packets{socket: socket, six: true}, nil
}

// HoldConnections has a listening socket overlook the connections that come in by
// a link, until they come again by another.
func HoldConnections(socket *os.File, link int) error {
	return attachFilter(int(socket.Fd()), []unix.SockFilter{
		{Code: loadByte, K: 13}, // TCP's flags
		{Code: and, K: flagsSYNACK},
		{Code: jumpEqual, K: flagsSYN, Jf: 2},
		{Code: loadWord, K: linkOf},
		{Code: jumpEqual, K: uint32(link), Jt: 1},
		{Code: ret, K: all},
		{Code: ret, K: 0},
	})
}

func attachFilter(fd int, program []unix.SockFilter) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}))
}

// Receive waits for the next packet and returns its size. The error is os.ErrClosed
// once the socket is closed.
func (p *Packets) Receive(packet []byte) (size int, err error) {
	conn, err := p.socket.SyscallConn()
	if err != nil {
		return 0, os.ErrClosed
	}
	var failed error
	closed := conn.Read(func(fd uintptr) bool {
		if size, failed = 0, nil; p.six {
			size, failed = receive6(int(fd), packet)
		} else {
			size, _, failed = unix.Recvfrom(int(fd), packet, 0)
		}
		return failed != unix.EAGAIN
	})
	switch {
	case closed != nil:
		return 0, os.ErrClosed
	case failed != nil:
		return 0, os.NewSyscallError("recvfrom", failed)
	}
	return size, nil
}

// receive6 receives a segment, and puts before it the header that it had, but for
// what nobody asks for (RFC 8200, 3).
func receive6(fd int, packet []byte) (int, error) {
	const header, source, destination, hops = 40, 8, 24, 64
	control := make([]byte, unix.CmsgSpace(unix.SizeofInet6Pktinfo))
	n, size, _, from, err := unix.Recvmsg(fd, packet[header:], control, 0)
	if err != nil {
		return 0, err
	}
	to, ok := DestinationOf(control[:size])
	sender, ok6 := from.(*unix.SockaddrInet6)
	if !ok || !ok6 {
		return 0, nil
	}
	clear(packet[:header])
	packet[0], packet[6], packet[7] = 6<<4, unix.IPPROTO_TCP, hops
	binary.BigEndian.PutUint16(packet[4:], uint16(n))
	copy(packet[source:], sender.Addr[:])
	copy(packet[destination:], to.AsSlice())
	return header + n, nil
}

// Send sends a packet with its header to an address, by the namespace's routes:
// to one of its own by the loopback.
func (p *Packets) Send(packet []byte, to netip.Addr) error {
	conn, err := p.socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	var address unix.Sockaddr
	if p.six {
		address = &unix.SockaddrInet6{Addr: to.As16()}
	} else {
		address = &unix.SockaddrInet4{Addr: to.As4()}
	}
	closed := conn.Control(func(fd uintptr) { failed = unix.Sendto(int(fd), packet, 0, address) })
	return errors.Join(closed, os.NewSyscallError("sendto", failed))
}

// Close ends Receive.
func (p *Packets) Close() error { return p.socket.Close() }
