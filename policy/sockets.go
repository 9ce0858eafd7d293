package policy

import (
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// netlinkRoute is the family of netlink sockets that carry addresses and
// routes, and nothing else (NETLINK_ROUTE, netlink(7)).
const netlinkRoute = "netlink-route"

// familyConstant returns the AF_* constant of a family's name.
func familyConstant(name string) Operand {
	if name == netlinkRoute {
		name = "netlink"
	}
	return Operand("AF_" + strings.ToUpper(name))
}

// limitsPorts reports whether the policy names TCP ports for Landlock to keep.
func (n *Network) limitsPorts() bool { return n.limitsConnect() || n.Bind.IsSet() }

// limitsConnect reports whether that is so of ports to connect to. In a network of
// the program's own, what is there to connect to is all that callgate answers for.
func (n *Network) limitsConnect() bool { return n.Connect.IsSet() && n.Mode.Value != RelayNetwork }

// refusedSockets returns the rules that the network section puts before all
// others: what it does not list cannot be had by a rule of calls.
func (p *Policy) refusedSockets(otherwise filter.Action) []Rule {
	var rules []Rule
	refuse := func(at Origin, calls []string, when ...Condition) {
		for i := range when {
			when[i].At = at
		}
		r := Rule{Then: Do(otherwise), When: when, At: at}
		for _, call := range calls {
			r.Calls = append(r.Calls, Name{call, at})
		}
		rules = append(rules, r)
	}
	sockets := []string{"socket", "socketpair"}
	if families := p.Network.Families; families.IsSet() {
		var others []Condition
		for _, f := range families.Value {
			others = append(others, Condition{Arg: Name{Text: "family"}, Not: familyConstant(f.Text)})
		}
		refuse(families.At, sockets, others...)
		if p.hasFamily(netlinkRoute) && !p.hasFamily("netlink") {
			refuse(families.At, sockets,
				Condition{Arg: Name{Text: "family"}, Equals: "AF_NETLINK"},
				Condition{Arg: Name{Text: "protocol"}, Not: "NETLINK_ROUTE"})
		}
	}
	if p.Network.limitsPorts() {
		p.refusePortless(refuse)
	}
	if p.listensNowhere() {
		rules = append(rules, Rule{Then: Do(errnoAction(abi.EACCES)), Calls: []Name{{"listen", p.Network.Bind.At}}, At: p.Network.Bind.At})
	}
	return rules
}

// listensNowhere reports whether the call listen is to be refused: a socket that
// listens without having bound gets a port of the kernel's choosing, and nobody
// asks Landlock. A rule that allows the call by name decides instead, as UNIX
// sockets may need: the filter can't tell what a socket is.
func (p *Policy) listensNowhere() bool {
	n := &p.Network
	return n.Mode.Value == HostNetwork && n.Bind.IsSet() && len(n.Bind.Value) == 0 &&
		!slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool {
			return r.Then.Lets() && r.names("listen") && r.If.isEmpty() && r.Unless.isEmpty()
		})
}

// refusePortless refuses the ways of internet sockets that do not ask Landlock
// about their port: stream protocols other than TCP (SCTP, DCCP, MPTCP, SMC),
// and connecting by sending (MSG_FASTOPEN).
func (p *Policy) refusePortless(refuse func(Origin, []string, ...Condition)) {
	at := p.Network.Connect.At
	if !p.Network.limitsConnect() {
		at = p.Network.Bind.At
	}
	internet := Condition{Arg: Name{Text: "family"}, In: []Operand{"AF_INET", "AF_INET6"}}
	kind := func(t Operand) Condition {
		return Condition{Arg: Name{Text: "type"}, Mask: "0xf", Equals: t}
	}
	for _, t := range []Operand{"SOCK_SEQPACKET", "SOCK_DCCP"} {
		refuse(at, []string{"socket"}, internet, kind(t))
	}
	refuse(at, []string{"socket"}, internet, kind("SOCK_STREAM"),
		Condition{Arg: Name{Text: "protocol"}, Not: "0"}, Condition{Arg: Name{Text: "protocol"}, Not: "IPPROTO_TCP"})
	if p.Network.limitsConnect() {
		refuse(at, []string{"sendto", "sendmsg", "sendmmsg"},
			Condition{Arg: Name{Text: "flags"}, Mask: "MSG_FASTOPEN", Equals: "MSG_FASTOPEN"})
	}
}

// allowedSockets returns the rules that the network section puts after all
// others: the sockets of its families.
func (p *Policy) allowedSockets() []Rule {
	families := p.Network.Families
	if len(families.Value) == 0 {
		return nil
	}
	return []Rule{{
		Then: Do(filter.ActionAllow), At: families.At,
		Calls: []Name{{"socket", families.At}, {"socketpair", families.At}},
	}}
}

func (p *Policy) hasFamily(name string) bool {
	for _, f := range p.Network.Families.Value {
		if f.Text == name {
			return true
		}
	}
	return false
}

// RefusesPort reports whether TCP connections to a port are refused, as Landlock
// refuses them; port 0 stands for no connection.
func (n *Network) RefusesPort(isTCP bool, port uint16) bool {
	return isTCP && port != 0 && n.limitsConnect() && !n.ConnectsTo(port)
}
