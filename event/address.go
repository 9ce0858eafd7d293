package event

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Address is a copied socket address as people write it: 192.0.2.1:443,
// [2001:db8::1]:443, /run/a.socket, or @name of an abstract one. It is false for
// other families and for what is cut short. The families have the numbers that
// every architecture gives them (include/linux/socket.h), the structures are those
// of ip(7), ipv6(7) and unix(7).
func (m Memory) Address() (string, bool) {
	const unix, inet, inet6 = 1, 2, 10
	const family, port, start, start6 = 2, 4, 4, 8
	b := m.Bytes
	if len(b) < family {
		return "", false
	}
	switch binary.LittleEndian.Uint16(b) {
	case inet:
		if size := start + 4; len(b) >= size {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[start:size])), binary.BigEndian.Uint16(b[family:port])).String(), true
		}
	case inet6:
		if size := start6 + 16; len(b) >= size {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[start6:size])).Unmap(), binary.BigEndian.Uint16(b[family:port])).String(), true
		}
	case unix:
		if len(b) > family && b[family] == 0 { // an abstract name may hold any bytes
			return quoteOdd("@" + string(b[family+1:])), true
		}
		path, _, _ := bytes.Cut(b[family:], []byte{0})
		return quoteOdd(string(path)), len(path) > 0
	}
	return "", false
}

// quoteOdd quotes a text that could be taken for something else.
func quoteOdd(text string) string {
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == ',' || c == '(' || c == ')' {
			return strconv.Quote(text)
		}
	}
	return text
}
