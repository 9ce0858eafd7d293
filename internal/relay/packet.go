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

// Offsets within the headers of IPv4 and TCP, and their least lengths.
const (
	ipLength, ipProtocol, ipChecksum, ipSource, ipDestination, ipHeader = 2, 9, 10, 12, 16, 20
	tcpSequence, tcpFlags, tcpChecksum, tcpHeader                       = 4, 13, 16, 20

	protocolICMP, protocolTCP = 1, 6
	flagsOpen, flagsReset     = 0x02, 0x14 // SYN; RST and ACK
)

// readOpening reads a packet; it is false for any other.
func readOpening(packet []byte) (o opening, ok bool) {
	if len(packet) < ipHeader || packet[0]>>4 != 4 || packet[ipProtocol] != protocolTCP {
		return o, false
	}
	header, length := int(packet[0]&0xf)*4, int(binary.BigEndian.Uint16(packet[ipLength:]))
	if header < ipHeader || length > len(packet) || length < header+tcpHeader {
		return o, false
	}
	o = opening{packet: packet[:length], header: header}
	segment := o.packet[header:]
	if segment[tcpFlags]&0x17 != flagsOpen { // of FIN, SYN, RST and ACK
		return o, false
	}
	o.from = netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[ipSource:])), binary.BigEndian.Uint16(segment))
	o.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[ipDestination:])), binary.BigEndian.Uint16(segment[2:]))
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
	packet := o.reply(protocolTCP, o.to.Addr(), tcpHeader)
	segment := packet[ipHeader:]
	binary.BigEndian.PutUint16(segment, o.to.Port())
	binary.BigEndian.PutUint16(segment[2:], o.from.Port())
	sequence := binary.BigEndian.Uint32(o.packet[o.header+tcpSequence:])
	binary.BigEndian.PutUint32(segment[8:], sequence+1) // what is acknowledged
	segment[12] = tcpHeader / 4 << 4
	segment[tcpFlags] = flagsReset
	sealTCP(packet, ipHeader)
	return packet
}

// unreachable is the answer of a router that knows no way (RFC 792).
func (o opening) unreachable(router netip.Addr) []byte {
	const kind, code, header, quoted = 3, 1, 8, 8 // destination unreachable, host unreachable
	packet := o.reply(protocolICMP, router, header+o.header+quoted)
	message := packet[ipHeader:]
	message[0], message[1] = kind, code
	copy(message[header:], o.packet[:o.header+quoted])
	binary.BigEndian.PutUint16(message[2:], checksum(0, message))
	return packet
}

// reply begins a packet to whom this one came from.
func (o opening) reply(protocol byte, from netip.Addr, length int) []byte {
	packet := make([]byte, ipHeader+length)
	packet[0], packet[8], packet[ipProtocol] = 4<<4|ipHeader/4, 64, protocol
	binary.BigEndian.PutUint16(packet[ipLength:], uint16(len(packet)))
	copy(packet[ipSource:], from.AsSlice())
	copy(packet[ipDestination:], o.from.Addr().AsSlice())
	binary.BigEndian.PutUint16(packet[ipChecksum:], checksum(0, packet[:ipHeader]))
	return packet
}

// sealTCP stores the checksum of a packet's segment.
func sealTCP(packet []byte, header int) {
	segment := packet[header:]
	segment[tcpChecksum], segment[tcpChecksum+1] = 0, 0
	pseudo := uint32(protocolTCP) + uint32(len(segment))
	for i := ipSource; i < ipHeader; i += 2 {
		pseudo += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	binary.BigEndian.PutUint16(segment[tcpChecksum:], checksum(pseudo, segment))
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
