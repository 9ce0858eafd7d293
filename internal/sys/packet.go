package sys

import (
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PacketSocket are the arguments of socket(2) for Packets (packet(7)).
var PacketSocket = [3]int{unix.AF_PACKET, unix.SOCK_DGRAM, 0}

// HardwareAddress is a link's, as a packet came from or goes to.
type HardwareAddress [8]byte

// Packets is a socket for packets with their IP headers, of one network namespace.
type Packets struct{ socket *os.File }

// Instructions of classic BPF that the two programs below need (bpf(4), and
// include/uapi/linux/filter.h for the ancillary data).
const (
	loadByte        = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadHalf        = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadWord        = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	loadByteIndexed = unix.BPF_LD | unix.BPF_B | unix.BPF_IND
	loadIPLength    = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
	and             = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	jumpEqual       = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpBits        = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	ret             = unix.BPF_RET | unix.BPF_K

	ancillary = ^uint32(0) - 0x1000 + 1 // SKF_AD_OFF
	kindOf    = ancillary + 4           // SKF_AD_PKTTYPE
	linkOf    = ancillary + 8           // SKF_AD_IFINDEX

	flagsSYN, flagsSYNACK = 0x02, 0x12 // of TCP's flags
	all                   = ^uint32(0)
)

// WatchConnections has a socket receive the packets that begin a TCP connection
// over IPv4, as they come in by a link.
func WatchConnections(socket *os.File, link int) (*Packets, error) {
	fd := int(socket.Fd())
	err := attachFilter(fd, []unix.SockFilter{
		{Code: loadWord, K: kindOf},
		{Code: jumpEqual, K: unix.PACKET_HOST, Jf: 9},
		{Code: loadByte, K: 9}, // protocol
		{Code: jumpEqual, K: unix.IPPROTO_TCP, Jf: 7},
		{Code: loadHalf, K: 6}, // fragment's offset
		{Code: jumpBits, K: 0x1fff, Jt: 5},
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
	address := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_IP), Ifindex: link}
	if err := unix.Bind(fd, address); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	return &Packets{socket}, nil
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

func bigEndian(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return *(*uint16)(unsafe.Pointer(&b))
}

// Receive waits for the next packet and returns its size and whose it was. The
// error is os.ErrClosed once the socket is closed.
func (p *Packets) Receive(packet []byte) (size int, from HardwareAddress, err error) {
	conn, err := p.socket.SyscallConn()
	if err != nil {
		return 0, from, os.ErrClosed
	}
	var failed error
	closed := conn.Read(func(fd uintptr) bool {
		var address unix.Sockaddr
		size, address, failed = unix.Recvfrom(int(fd), packet, 0)
		if link, ok := address.(*unix.SockaddrLinklayer); ok {
			from = link.Addr
		}
		return failed != unix.EAGAIN
	})
	switch {
	case closed != nil:
		return 0, from, os.ErrClosed
	case failed != nil:
		return 0, from, os.NewSyscallError("recvfrom", failed)
	}
	return size, from, nil
}

// Send sends a packet out by a link.
func (p *Packets) Send(packet []byte, link int, to HardwareAddress) error {
	address := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_IP), Ifindex: link, Halen: 6, Addr: to}
	return os.NewSyscallError("sendto", unix.Sendto(int(p.socket.Fd()), packet, 0, address))
}

// Close ends Receive.
func (p *Packets) Close() error { return p.socket.Close() }
