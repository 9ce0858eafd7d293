package policy

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// AllowsName reports whether a program in a network of its own may look a
// canonical name up: whether a port of it may be connected to.
func (n *Network) AllowsName(name string) bool {
	return slices.ContainsFunc(n.Connect.Value, func(d Destination) bool { return d.leadsTo(name) })
}

// ReachesName reports whether it may connect to a port of a canonical name.
func (n *Network) ReachesName(name string, port uint16, udp bool) bool {
	return slices.ContainsFunc(n.Connect.Value, func(d Destination) bool {
		return d.Port == port && d.UDP == udp && d.leadsTo(name)
	})
}

// leadsTo reports whether the destination lists a canonical name: the machine's
// own only where it is spelled out.
func (d Destination) leadsTo(name string) bool {
	return d.Name == name && name != "" || name != HostName && (d.matchesName(name) || d.IsAny())
}

// ReachesAddress reports whether it may connect to a port of an address.
func (n *Network) ReachesAddress(address netip.Addr, port uint16, udp bool) bool {
	return slices.ContainsFunc(n.Connect.Value, func(d Destination) bool {
		return d.Port == port && d.UDP == udp && (d.Prefix.IsValid() && d.Prefix.Contains(address) || d.IsAny() && IsPublic(address))
	})
}

// TrustsName reports whether a name that ReachesName has may lead to an address.
// Who owns a name says where it leads, so that one could lead to what only this
// machine reaches: its own services, a cloud's metadata, the neighbours. A name
// that the policy spells out may lead to any other machine; a wildcard, or a port
// alone, only to public addresses; to the machine itself and its link none but
// [HostName] does, unless the address is listed, too.
func (n *Network) TrustsName(name string, address netip.Addr, port uint16, udp bool) bool {
	address = address.Unmap()
	if IsPublic(address) || n.ReachesAddress(address, port, udp) {
		return true
	}
	spelled := slices.ContainsFunc(n.Connect.Value, func(d Destination) bool {
		return d.Port == port && d.UDP == udp && d.Name == name
	})
	return spelled && (!isOwn(address) || name == HostName && address.IsLoopback())
}

// IsAny reports whether the destination is a port of every public address.
func (d Destination) IsAny() bool { return d.Name == "" && !d.Prefix.IsValid() }

// special are the addresses that are no public host's (RFC 6890), but for those
// that package netip knows by itself.
var special = [...]string{
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
}

// IsPublic reports whether an address is one of a host on the internet: not of
// this machine, its link, a private network, or of no host at all. Addresses that
// carry an IPv4 address within (NAT64, 6to4, Teredo) are not: it may be any.
func IsPublic(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsGlobalUnicast() || address.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(special[:], func(text string) bool { return netip.MustParsePrefix(text).Contains(address) })
}

// isOwn reports whether an address may be one of this machine or of its link, where
// clouds keep a machine's credentials, or may carry one within.
func isOwn(address netip.Addr) bool {
	return !address.IsGlobalUnicast() || slices.ContainsFunc(own[:], func(text string) bool { return netip.MustParsePrefix(text).Contains(address) })
}

// own are those of the special addresses that isOwn is about, besides loopback,
// link-local, multicast and unspecified addresses: "this network", an IPv4
// address within (RFC 6052, 3056, 4380), and a metadata service on IPv6.
var own = [...]string{"0.0.0.0/8", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fd00:ec2::/32"}

// relay answers for a connection of a program in a network of its own, to the
// question's host, which may be a name, an address, or left out.
func (j *Judge) relay(q Question) Answer {
	n := &j.policy.Network
	udp := q.Call != "connect"
	host := q.Host
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	if isAddress && j.Names != nil {
		if name, stands := j.Names(address.Unmap()); stands {
			host, isAddress = name, false
		}
	}
	var allowed, known bool
	switch {
	case isAddress:
		address = address.Unmap()
		allowed = address.IsLoopback() || n.ReachesAddress(address, uint16(q.Port), udp)
		known = slices.ContainsFunc(n.Connect.Value, func(d Destination) bool {
			return d.Prefix.IsValid() && d.Prefix.Contains(address) || d.IsAny()
		})
		host = netip.PrefixFrom(address, address.BitLen()).Addr().String()
	case host != "":
		if name, err := CanonicalName(host); err == nil {
			host, known = name, n.AllowsName(name)
			allowed = n.ReachesName(name, uint16(q.Port), udp)
		} else if host == "localhost" {
			allowed = true
		}
	default:
		known = slices.ContainsFunc(n.Connect.Value, Destination.IsAny)
		allowed = n.ReachesName("", uint16(q.Port), udp)
	}
	if allowed {
		return Answer{Action: Do(filter.ActionAllow), At: n.Connect.At}
	}
	return j.unreached(q, host, known, udp)
}

// unreached is the refusal of a destination. Of what is known at all, another
// port is listed: callgate is there, and nobody listens.
func (j *Judge) unreached(q Question, host string, known, udp bool) Answer {
	errno := abi.ENETUNREACH
	if known {
		errno = abi.ECONNREFUSED
	}
	a := Answer{Action: Do(errnoAction(errno)), Wall: WallNetwork}
	a.Reason, a.Cure, a.At = j.policy.Network.Missing(host, uint16(q.Port), udp)
	return a
}

// Missing says why a destination is not reached that no rule lists, and what would
// list it. The host is a name, an address, or "" for any; the port of a name that
// was only looked up is 0.
func (n *Network) Missing(host string, port uint16, udp bool) (reason, cure string, at Origin) {
	if at = n.Connect.At; at == (Origin{}) {
		at = n.Mode.At
	}
	wanted := Destination{Port: port, UDP: udp}
	if host != "" && wanted.setHost(bracket(host)) != nil {
		return fmt.Sprintf("%q is no name that can be listed", host), "", at
	}
	text := wanted.String()
	if port == 0 {
		const likely = 443
		text, wanted.Port = host, likely
	}
	return fmt.Sprintf("the network section does not list %s under connect", text), fmt.Sprintf("network:\n  connect: [%q]\n", wanted.String()), at
}

func bracket(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.Is6() {
		return "[" + host + "]"
	}
	return host
}
