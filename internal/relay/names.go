package relay

import (
	"net/netip"
	"sync"
	"time"
)

// names gives each name that was resolved an address of its own in the program's
// network. Every name here is one that a rule allows to look up.
type names struct {
	prefix  netip.Prefix
	prefix6 netip.Prefix // each name's place is the same in both
	mutex   sync.Mutex
	byName  map[string]netip.Addr
	entries []entry // by the address's place in the prefix
	next    int     // the place to be given next
}

type entry struct {
	name  string
	six   bool      // it has an address of IPv6 outside
	until time.Time // when it is to be looked up again
}

// stand is what stands for a name: the zero stand for one that isn't there.
type stand struct {
	four netip.Addr // also where the name has none of IPv4 outside
	six  netip.Addr // none where it has none
}

func newNames(prefix, prefix6 netip.Prefix) *names {
	return &names{prefix: prefix, prefix6: prefix6, byName: map[string]netip.Addr{}}
}

// known returns what stands for a name if it was found to exist not long ago.
func (n *names) known(name string, now time.Time) (s stand, ok bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	address, ok := n.byName[name]
	if !ok || !now.Before(n.entries[n.place(address)].until) {
		return stand{}, false
	}
	return n.stand(address), true
}

// add returns what stands for a name, a new address if it had none.
func (n *names) add(name string, six bool, until time.Time) stand {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if address, ok := n.byName[name]; ok {
		n.entries[n.place(address)] = entry{name, six, until}
		return n.stand(address)
	}
	place := n.next
	n.next = (n.next + 1) % maxNames
	if place == len(n.entries) {
		n.entries = append(n.entries, entry{})
	} else {
		delete(n.byName, n.entries[place].name)
	}
	address := n.address(place)
	n.entries[place] = entry{name, six, until}
	n.byName[name] = address
	return n.stand(address)
}

// stand needs the lock. The two addresses of a name have the same place.
func (n *names) stand(four netip.Addr) stand {
	s := stand{four: four}
	if n.entries[n.place(four)].six {
		bytes, low := n.prefix6.Addr().As16(), four.As4()
		copy(bytes[14:], low[2:])
		s.six = netip.AddrFrom16(bytes)
	}
	return s
}

// of returns the name that an address stands for.
func (n *names) of(address netip.Addr) (string, bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.contains(address) {
		return "", false
	}
	place := n.place(address)
	if place < 0 || place >= len(n.entries) {
		return "", false
	}
	return n.entries[place].name, true
}

// contains reports whether an address can stand for a name.
func (n *names) contains(address netip.Addr) bool {
	return n.prefix.Contains(address) || n.prefix6.Contains(address)
}

// Names returns what an address of the program's network stands for: a name, or
// "localhost" for the relay itself. It is false for any other.
func (r *Relay) Names(address netip.Addr) (name string, stands bool) {
	if address == r.address {
		return "localhost", true
	}
	return r.names.of(address)
}

// address and place turn a place into an address and back: the first address of
// the prefix is no host's.
func (n *names) address(place int) netip.Addr {
	bytes := n.prefix.Addr().As4()
	place++
	bytes[2], bytes[3] = byte(place>>8), byte(place)
	return netip.AddrFrom4(bytes)
}

func (n *names) place(address netip.Addr) int {
	bytes := address.AsSlice()
	low := bytes[len(bytes)-2:]
	return int(low[0])<<8 + int(low[1]) - 1
}
