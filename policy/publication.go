package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Publication is a TCP port of the machine that leads to one of the program's
// loopback.
type Publication struct {
	Address netip.Addr // where callgate listens; the zero Addr is the machine's loopback, 127.0.0.1
	Port    uint16     // there
	Inside  uint16     // the program's port
	Remove  bool       // written with a leading '-': take it out of what extended documents gave
	At      Origin
}

// UnmarshalText reads [[ADDRESS:]PORT:]PORT, with '-' before one to take out.
func (p *Publication) UnmarshalText(text []byte) error {
	read := Publication{At: p.At}
	rest, remove := strings.CutPrefix(string(text), "-")
	read.Remove = remove
	wrong := fmt.Errorf("%q publishes no port: write PORT, OUTSIDE:INSIDE or ADDRESS:OUTSIDE:INSIDE", text)
	outside, inside := "", rest
	if colon := strings.LastIndexByte(rest, ':'); colon >= 0 {
		outside, inside = rest[:colon], rest[colon+1:]
	} else {
		outside = rest
	}
	if colon := strings.LastIndexByte(outside, ':'); colon >= 0 {
		address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(outside[:colon], "["), "]"))
		if err != nil || address.Zone() != "" {
			return wrong
		}
		read.Address, outside = address, outside[colon+1:]
	}
	for _, port := range []struct {
		text string
		into *uint16
	}{{outside, &read.Port}, {inside, &read.Inside}} {
		n, err := strconv.ParseUint(port.text, 10, 16)
		if err != nil || n == 0 {
			return wrong
		}
		*port.into = uint16(n)
	}
	*p = read
	return nil
}

// MarshalText writes the publication.
func (p Publication) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns the publication as a document has it.
func (p Publication) String() string {
	text := fmt.Sprintf("%d:%d", p.Port, p.Inside)
	if p.Address.IsValid() {
		text = netip.AddrPortFrom(p.Address, p.Port).String() + ":" + strconv.Itoa(int(p.Inside))
	}
	if p.Remove {
		return "-" + text
	}
	return text
}

// Listen is where callgate listens.
func (p Publication) Listen() netip.AddrPort {
	if p.Address.IsValid() {
		return netip.AddrPortFrom(p.Address, p.Port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), p.Port)
}

func (p Publication) removes() bool           { return p.Remove }
func (p Publication) same(o Publication) bool { return p.Listen() == o.Listen() }
