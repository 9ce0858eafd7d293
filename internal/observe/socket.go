package observe

import (
	"encoding/binary"
	"net/netip"
	"path"
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy/learn"
)

func (s *stop) connect() { s.address(s.Args[1], s.Args[2], learn.Connect) }

func (s *stop) bind() { s.address(s.Args[1], s.Args[2], learn.Bind) }

// sends is for datagrams with an address; others don't stop.
func (s *stop) sends() { s.address(s.Args[4], s.Args[5], learn.Connect) }

// sendsMessage looks at the address of a message, the first of several (struct
// msghdr of sendmsg(2), on 64 bits).
func (s *stop) sendsMessage() {
	var header [12]byte
	if s.Read(s.Args[1], header[:]) == nil {
		s.address(binary.LittleEndian.Uint64(header[:]), uint64(binary.LittleEndian.Uint32(header[8:])), learn.Connect)
	}
}

// maxAddress is the longest address that the kernel takes (struct sockaddr_storage).
const maxAddress = 128

// address tells what a socket's address opens. Families have the numbers that
// every architecture gives them (include/linux/socket.h).
func (s *stop) address(at, length uint64, direction learn.Direction) {
	if at == 0 || uint32(length) < 2 {
		return
	}
	address := make([]byte, min(uint32(length), maxAddress))
	if s.Read(at, address) != nil {
		return
	}
	switch family := binary.LittleEndian.Uint16(address); {
	case family == syscall.AF_UNIX:
		s.unix(address[2:], direction)
	case (family == syscall.AF_INET || family == syscall.AF_INET6) && len(address) >= 4:
		s.internet(binary.BigEndian.Uint16(address[2:]), isLoopback(family, address), direction)
	}
}

func (s *stop) unix(name []byte, direction learn.Direction) {
	switch {
	case len(name) == 0:
		return
	case name[0] == 0: // a name in the network's own space, and no file's
		if direction == learn.Connect {
			s.ledger.Outside()
		}
		return
	}
	text, _, _ := strings.Cut(string(name), "\x00")
	base := ""
	if !path.IsAbs(text) {
		if base = s.link("cwd"); base == "" {
			return
		}
	}
	at := s.find(base, text)
	if direction == learn.Bind {
		s.make(at)
		return
	}
	s.note(at, learn.Read|learn.Write)
}

// isLoopback reports whether an address is the machine's own (struct sockaddr_in,
// struct sockaddr_in6).
func isLoopback(family uint16, address []byte) bool {
	switch {
	case family == syscall.AF_INET && len(address) >= 8:
		return address[4] == 127
	case family == syscall.AF_INET6 && len(address) >= 24:
		return netip.AddrFrom16([16]byte(address[8:24])).Unmap().IsLoopback()
	}
	return false
}

func (s *stop) internet(port uint16, local bool, direction learn.Direction) {
	kind, _, err := sys.SocketOf(taskOf(s.Task.TID).process, int(int32(s.Args[0])))
	if err == nil && kind != syscall.SOCK_STREAM {
		s.ledger.Datagram(direction, port, local)
		return
	}
	s.ledger.Port(direction, port, local, s.program)
}
