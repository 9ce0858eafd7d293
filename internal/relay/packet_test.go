package relay

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
)

// syn is a packet as a link between namespaces delivers it, without TCP's
// checksum: 198.18.0.2:47422 asks for 198.19.0.1:443.
const syn = "4500003c1c464000400691e8c6120002c6130001" +
	"b93e01bb0000002a00000000a002fa4091e40000020405b40402080a0a2b3c4d0000000001030307"

// syn6 is such a packet of IPv6: [fdca:11:6a7e::2]:47422 asks for [2001:db8::1]:443.
const syn6 = "60000000001c0640fdca00116a7e0000000000000000000220010db8000000000000000000000001" +
	"b93e01bb0000002a000000007002fa4091e4000002040594" + "00000000"

func parse(t testing.TB) opening { return parsed(t, syn) }

func parsed(t testing.TB, text string) opening {
	t.Helper()
	packet, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := readOpening(packet)
	if !ok {
		t.Fatal("a packet that opens a connection is taken for none")
	}
	return o
}

func TestOpeningIsRead(t *testing.T) {
	o := parse(t)
	if o.from != netip.MustParseAddrPort("198.18.0.2:47422") || o.to != netip.MustParseAddrPort("198.19.0.1:443") {
		t.Errorf("from %s to %s", o.from, o.to)
	}
	for name, change := range map[string]func(b []byte){
		"an answer":              func(b []byte) { b[20+13] |= 0x10 },
		"an end":                 func(b []byte) { b[20+13] |= 0x01 },
		"a datagram":             func(b []byte) { b[9] = 17 },
		"IPv6":                   func(b []byte) { b[0] = 0x65 },
		"a header too short":     func(b []byte) { b[0] = 0x44 },
		"a header too long":      func(b []byte) { b[0] = 0x4f },
		"longer than it is":      func(b []byte) { b[2] = 1 },
		"shorter than a segment": func(b []byte) { b[3] = 39 },
	} {
		packet, _ := hex.DecodeString(syn)
		change(packet)
		if _, ok := readOpening(packet); ok {
			t.Errorf("%s is taken for the opening of a connection", name)
		}
	}
}

// sums reports whether the checksums of a packet's header and segment are right: a
// sum over all of it, the checksum included, is zero.
func sums(packet []byte) bool {
	segment, pseudo := packet[ipHeader:], uint32(0)
	switch {
	case packet[0]>>4 == 6:
		segment = packet[ip6Header:]
		pseudo = uint32(packet[ip6Next]) + uint32(len(segment)) + words(packet[ip6Source:ip6Header])
	case packet[ipProtocol] == protocolTCP:
		pseudo = protocolTCP + uint32(len(segment)) + words(packet[ipSource:ipHeader])
	}
	return (packet[0]>>4 == 6 || checksum(0, packet[:ipHeader]) == 0) && checksum(pseudo, segment) == 0
}

func words(b []byte) (sum uint32) {
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return sum
}

func TestAnswersAreSoundIPv6(t *testing.T) {
	o := parsed(t, syn6)
	if o.from != netip.MustParseAddrPort("[fdca:11:6a7e::2]:47422") || o.to != netip.MustParseAddrPort("[2001:db8::1]:443") {
		t.Errorf("from %s to %s", o.from, o.to)
	}
	again, reset, unreachable := o.again(), o.reset(), o.unreachable(o.to.Addr())
	if got, ok := readOpening(again); !ok || got.from != o.from || got.to != o.to || !sums(again) {
		t.Errorf("the packet comes again as %x", again)
	}
	for name, packet := range map[string][]byte{"reset": reset, "unreachable": unreachable} {
		if !sums(packet) || int(binary.BigEndian.Uint16(packet[ip6Length:]))+ip6Header != len(packet) ||
			netip.AddrFrom16([16]byte(packet[ip6Destination:])) != o.from.Addr() {
			t.Errorf("%s: %x", name, packet)
		}
	}
	if ack := binary.BigEndian.Uint32(reset[ip6Header+8:]); ack != 43 || reset[ip6Header+13] != flagsReset {
		t.Errorf("the reset acknowledges %d with flags %#x", ack, reset[ip6Header+13])
	}
	if quoted := unreachable[ip6Header+8:]; string(quoted) != string(o.packet[:48]) {
		t.Errorf("the router quotes %x", quoted)
	}
	for name, change := range map[string]func(b []byte){
		"an answer":         func(b []byte) { b[40+13] |= 0x10 },
		"a datagram":        func(b []byte) { b[6] = 17 },
		"longer than it is": func(b []byte) { b[5]++ },
		"short":             func(b []byte) { b[5] = 19 },
	} {
		packet, _ := hex.DecodeString(syn6)
		change(packet)
		if _, ok := readOpening(packet); ok {
			t.Errorf("%s is taken for the opening of a connection", name)
		}
	}
}

func TestAnswersAreSound(t *testing.T) {
	o := parse(t)
	again, reset, unreachable := o.again(), o.reset(), o.unreachable(netip.MustParseAddr("198.18.0.1"))
	if got, ok := readOpening(again); !ok || got.from != o.from || got.to != o.to || checksum(0, again[ipHeader:]) == checksum(0, o.packet[ipHeader:]) {
		t.Errorf("the packet comes again as %x", again)
	}
	for name, packet := range map[string][]byte{"reset": reset, "unreachable": unreachable} {
		if !sums(packet) || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) || [4]byte(packet[ipDestination:]) != o.from.Addr().As4() {
			t.Errorf("%s: %x", name, packet)
		}
	}
	if ack := binary.BigEndian.Uint32(reset[ipHeader+8:]); ack != 43 || reset[ipHeader+13] != flagsReset {
		t.Errorf("the reset acknowledges %d with flags %#x", ack, reset[ipHeader+13])
	}
	if quoted := unreachable[ipHeader+8:]; string(quoted) != string(o.packet[:28]) {
		t.Errorf("the router quotes %x", quoted)
	}
}

func FuzzOpening(f *testing.F) {
	packet, _ := hex.DecodeString(syn)
	f.Add(packet)
	packet6, _ := hex.DecodeString(syn6)
	f.Add(packet6)
	f.Fuzz(func(t *testing.T, packet []byte) {
		o, ok := readOpening(packet)
		if !ok {
			return
		}
		if again, ok := readOpening(o.again()); !ok || again.from != o.from || again.to != o.to {
			t.Errorf("%x comes again as another", packet)
		}
		if reset := o.reset(); !sums(reset) {
			t.Errorf("reset %x", reset)
		}
		if unreachable := o.unreachable(o.to.Addr()); !sums(unreachable) {
			t.Errorf("unreachable %x", unreachable)
		}
	})
}
