package learn

import (
	"cmp"
	"maps"
	"slices"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// firstChosen is where the ports begin that the kernel chooses itself
// (ip_local_port_range of ip(7)).
const firstChosen = 32768

// within reports whether the program talked to itself: to a port that it had
// bound. Its own network has room for that.
func (l *Ledger) within(port uint16) bool {
	c, bound := l.ports[Connect][port], l.ports[Bind]
	return c != nil && !c.beyond && (bound[port] != nil || bound[0] != nil && port >= firstChosen)
}

// serves reports whether a port was bound for others: the program itself did not
// connect to it.
func (l *Ledger) serves(port uint16) bool {
	if port != 0 {
		return !l.within(port)
	}
	for connected := range l.ports[Connect] {
		if connected >= firstChosen && l.within(connected) {
			return false
		}
	}
	return true
}

// reachesOut reports whether the program needs the machine's network.
func (l *Ledger) reachesOut() bool {
	for port := range l.ports[Connect] {
		if !l.within(port) {
			return true
		}
	}
	for port := range l.ports[Bind] {
		if l.serves(port) {
			return true
		}
	}
	for port := range l.datagrams {
		// C libraries connect datagrams to learn which address is near, and send none.
		if port != 0 && !l.ownDatagrams[port] && !l.ownDatagrams[0] && l.ports[Connect][port] == nil {
			return true
		}
	}
	return l.host
}

// network adds the machine's network, and ports to its lists.
func (d *drafter) network(l *Ledger) {
	n := &d.policy.Network
	first := l.reachesOut() && n.Mode.Value == policy.NoNetwork
	if first {
		d.add("host", "", "network", "mode")
	}
	for _, list := range []struct {
		direction Direction
		set       bool
		has       func(port uint16) bool
		value     func(port uint16) any
		key       string
	}{
		{Connect, n.Connect.IsSet(), n.ConnectsTo, func(port uint16) any { return policy.Destination{Port: port} }, "connect"},
		{Bind, n.Bind.IsSet(), n.Binds, func(port uint16) any { return policy.Port{Number: port} }, "bind"},
	} {
		used := l.ports[list.direction]
		switch {
		case list.direction == Connect && n.Mode.Value == policy.RelayNetwork: // which a person wrote
			continue
		case !list.set && (!first || !d.place.Ports): // every port is allowed
			continue
		case len(used) > maxPorts:
			d.note("more than %d ports were used under %s: none is added: remove the list to allow all", maxPorts, list.key)
			continue
		}
		added := 0
		for _, port := range slices.SortedFunc(maps.Keys(used), cmp.Compare[uint16]) {
			switch {
			case list.direction == Connect && used[port].chosen(l, port):
				d.note("a port that the kernel chose was connected to, by %s: it will be another the next time: remove connect to allow all", used[port])
			case !list.has(port):
				d.add(list.value(port), used[port].String(), "network", list.key)
				added++
			}
		}
		if !list.set && added == 0 {
			d.add(document.EmptyList, "", "network", list.key)
		}
	}
}

// chosen reports whether the kernel chose a port, and the program connected to it
// within itself.
func (t *traffic) chosen(l *Ledger, port uint16) bool {
	return port >= firstChosen && l.ports[Bind][port] == nil && l.within(port)
}
