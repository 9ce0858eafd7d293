package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Destination is somewhere that a program may connect to: a name, or a network of
// addresses, or neither, which is every public address, and a port there.
type Destination struct {
	Name   string       // lower-case, without a dot at the end; "*.example.org" is every name below example.org; or ""
	Prefix netip.Prefix // the addresses; not valid where there is a name, or neither
	Port   uint16
	UDP    bool // datagrams, not TCP
	Remove bool // written with a leading '-': take it out of what extended documents gave
	At     Origin
}

// HostName is the name by which a program in a network of its own reaches the
// loopback of the machine.
const HostName = "host.callgate.internal"

const destinationForms = "write NAME:PORT, *.NAME:PORT, ADDRESS:PORT, NETWORK/BITS:PORT or PORT, with udp/ before it for datagrams"

// UnmarshalText reads a destination, with '-' before one to take out.
func (d *Destination) UnmarshalText(text []byte) error {
	read := Destination{At: d.At}
	rest, remove := strings.CutPrefix(string(text), "-")
	rest, read.UDP = strings.CutPrefix(rest, "udp/")
	if !read.UDP {
		rest = strings.TrimPrefix(rest, "tcp/")
	}
	read.Remove = remove
	host, port := "", rest
	if colon := strings.LastIndexByte(rest, ':'); colon >= 0 {
		host, port = rest[:colon], rest[colon+1:]
		if host == "" {
			return fmt.Errorf("%q names nobody before its port: %s", text, destinationForms)
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return fmt.Errorf("%q ends in no port from 1 to 65535: %s", text, destinationForms)
	}
	read.Port = uint16(number)
	if host != "" {
		if err := read.setHost(host); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
	}
	*d = read
	return nil
}

// setHost reads what stands before the port.
func (d *Destination) setHost(text string) (err error) {
	inner, bracketed := strings.CutPrefix(text, "[")
	if bracketed {
		if text, bracketed = strings.CutSuffix(inner, "]"); !bracketed {
			return fmt.Errorf("a bracket is not closed: write [ADDRESS]:PORT")
		}
	}
	switch {
	case strings.Contains(text, "/"):
		if d.Prefix, err = netip.ParsePrefix(text); err != nil {
			return fmt.Errorf("%q is not a network: write one such as 10.0.0.0/8 or [2001:db8::/32]", text)
		}
		if d.Prefix != d.Prefix.Masked() {
			return fmt.Errorf("%s has bits set after the first %d: write %s", text, d.Prefix.Bits(), d.Prefix.Masked())
		}
	case bracketed || looksLikeAddress(text):
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return fmt.Errorf("%q is not an address: write one such as 192.0.2.1 or [2001:db8::1]", text)
		}
		d.Prefix = netip.PrefixFrom(address, address.BitLen())
	default:
		d.Name, err = CanonicalName(text)
		return err
	}
	if d.Prefix.Addr().Is4In6() {
		return fmt.Errorf("%s is an IPv4 address in IPv6's clothes: write it as IPv4", text)
	}
	if !bracketed && d.Prefix.Addr().Is6() {
		return fmt.Errorf("an IPv6 address stands without brackets: write [%s]", text)
	}
	return nil
}

// looksLikeAddress reports whether a text can be no name: names have no colon,
// and their last part has a letter.
func looksLikeAddress(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	return strings.Contains(text, ":") || last != "" && strings.Trim(last, "0123456789") == ""
}

// MarshalText writes the destination.
func (d Destination) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the destination as a document has it.
func (d Destination) String() string {
	var b strings.Builder
	if d.Remove {
		b.WriteByte('-')
	}
	if d.UDP {
		b.WriteString("udp/")
	}
	if host := d.host(); host != "" {
		b.WriteString(host + ":")
	}
	b.WriteString(strconv.Itoa(int(d.Port)))
	return b.String()
}

func (d Destination) host() string {
	if !d.Prefix.IsValid() {
		return d.Name
	}
	text := d.Prefix.String()
	if d.Prefix.IsSingleIP() {
		text = d.Prefix.Addr().String()
	}
	if d.Prefix.Addr().Is6() {
		return "[" + text + "]"
	}
	return text
}

// IsPort reports whether the destination is a TCP port and nothing else, which is
// all that Landlock knows.
func (d Destination) IsPort() bool { return d.Name == "" && !d.Prefix.IsValid() && !d.UDP }

func (d Destination) removes() bool { return d.Remove }
func (d Destination) same(o Destination) bool {
	return d.Name == o.Name && d.Prefix == o.Prefix && d.Port == o.Port && d.UDP == o.UDP
}
