package relay

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// opening is the packet that begins a TCP connection (RFC 9293, 3.1).
type opening struct {
	packet   []byte // from the IP header on
	header   int    // the IP header's length
	from, to netip.AddrPort
}

// Offsets within the headers of IPv4 (RFC 791), IPv6 (RFC 8200) and TCP, and their
// least lengths.
const (
	ipLength, ipProtocol, ipChecksum, ipSource, ipDestination, ipHeader = 2, 9, 10, 12, 16, 20
	ip6Length, ip6Next, ip6Source, ip6Destination, ip6Header            = 4, 6, 8, 24, 40
	tcpSequence, tcpFlags, tcpChecksum, tcpHeader                       = 4, 13, 16, 20

	protocolICMP, protocolTCP, protocolICMP6 = 1, 6, 58
	flagsOpen, flagsReset                    = 0x02, 0x14 // SYN; RST and ACK
)

// readOpening reads a packet; it is false for any other.
func readOpening(packet []byte) (o opening, ok bool) {
	var from, to netip.Addr
	switch {
	case len(packet) >= ipHeader && packet[0]>>4 == 4 && packet[ipProtocol] == protocolTCP:
		o.header = int(packet[0]&0xf) * 4
		o.packet = packet[:min(int(binary.BigEndian.Uint16(packet[ipLength:])), len(packet))]
		if int(binary.BigEndian.Uint16(packet[ipLength:])) > len(packet) || o.header < ipHeader {
			return opening{}, false
		}
		from, to = netip.AddrFrom4([4]byte(packet[ipSource:])), netip.AddrFrom4([4]byte(packet[ipDestination:]))
	case len(packet) >= ip6Header && packet[0]>>4 == 6 && packet[ip6Next] == protocolTCP:
		o.header = ip6Header
		length := ip6Header + int(binary.BigEndian.Uint16(packet[ip6Length:]))
		if length > len(packet) {
			return opening{}, false
		}
		o.packet = packet[:length]
		from, to = netip.AddrFrom16([16]byte(packet[ip6Source:])), netip.AddrFrom16([16]byte(packet[ip6Destination:]))
	}
	if len(o.packet) < o.header+tcpHeader || len(o.packet) == 0 {
		return opening{}, false
	}
	segment := o.packet[o.header:]
	if segment[tcpFlags]&0x17 != flagsOpen { // of FIN, SYN, RST and ACK
		return opening{}, false
	}
	o.from = netip.AddrPortFrom(from, binary.BigEndian.Uint16(segment))
	o.to = netip.AddrPortFrom(to, binary.BigEndian.Uint16(segment[2:]))
	return o, true
}

// again is the packet as a network would have delivered it: links between two
// network namespaces leave checksums out.
func (o opening) again() []byte {
	packet := slices.Clone(o.packet)
	sealTCP(packet, o.header)
	return packet
}

// reset is the answer of a machine on which nobody listens.
func (o opening) reset() []byte {
	packet, header := o.reply(protocolTCP, o.to.Addr(), tcpHeader)
	segment := packet[header:]
	binary.BigEndian.PutUint16(segment, o.to.Port())
	binary.BigEndian.PutUint16(segment[2:], o.from.Port())
	sequence := binary.BigEndian.Uint32(o.packet[o.header+tcpSequence:])
	binary.BigEndian.PutUint32(segment[8:], sequence+1) // what is acknowledged
	segment[12] = tcpHeader / 4 << 4
	segment[tcpFlags] = flagsReset
	sealTCP(packet, header)
	return packet
}

// unreachable is the answer of a router that knows no way (RFC 792, RFC 4443).
func (o opening) unreachable(router netip.Addr) []byte {
	const size, quoted = 8, 8
	protocol, kind, code := byte(protocolICMP), byte(3), byte(1) // destination unreachable, host unreachable
	if o.isSix() {
		protocol, kind, code = protocolICMP6, 1, 3 // destination unreachable, address unreachable
	}
	packet, header := o.reply(protocol, router, size+o.header+quoted)
	message := packet[header:]
	message[0], message[1] = kind, code
	copy(message[size:], o.packet[:o.header+quoted])
	sum := uint32(0)
	if o.isSix() {
		sum = pseudoHeader(packet, header, protocol)
	}
	binary.BigEndian.PutUint16(message[2:], checksum(sum, message))
	return packet
}

func (o opening) isSix() bool { return o.to.Addr().Is6() }

// reply begins a packet to whom this one came from, and tells where its header ends.
func (o opening) reply(protocol byte, from netip.Addr, length int) (packet []byte, header int) {
	const hops = 64
	if o.isSix() {
		packet = make([]byte, ip6Header+length)
		packet[0], packet[ip6Next], packet[ip6Next+1] = 6<<4, protocol, hops
		binary.BigEndian.PutUint16(packet[ip6Length:], uint16(length))
		copy(packet[ip6Source:], from.AsSlice())
		copy(packet[ip6Destination:], o.from.Addr().AsSlice())
		return packet, ip6Header
	}
	packet = make([]byte, ipHeader+length)
	packet[0], packet[8], packet[ipProtocol] = 4<<4|ipHeader/4, hops, protocol
	binary.BigEndian.PutUint16(packet[ipLength:], uint16(len(packet)))
	copy(packet[ipSource:], from.AsSlice())
	copy(packet[ipDestination:], o.from.Addr().AsSlice())
	binary.BigEndian.PutUint16(packet[ipChecksum:], checksum(0, packet[:ipHeader]))
	return packet, ipHeader
}

// sealTCP stores the checksum of a packet's segment.
func sealTCP(packet []byte, header int) {
	segment := packet[header:]
	segment[tcpChecksum], segment[tcpChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(segment[tcpChecksum:], checksum(pseudoHeader(packet, header, protocolTCP), segment))
}

// pseudoHeader is what the checksums of segments are of, besides themselves: the
// addresses, the protocol and the length (RFC 9293, 3.1; RFC 8200, 8.1).
func pseudoHeader(packet []byte, header int, protocol byte) uint32 {
	from, to := ipSource, ipHeader
	if packet[0]>>4 == 6 {
		from, to = ip6Source, ip6Header
	}
	sum := uint32(protocol) + uint32(len(packet)-header)
	for i := from; i < to; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	return sum
}

// checksum is the internet's (RFC 1071).
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
