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
	mutex   sync.Mutex
	byName  map[string]netip.Addr
	entries []entry // by the address's place in the prefix
	next    int     // the place to be given next
}

type entry struct {
	name  string
	until time.Time // when it is to be looked up again
}

func newNames(prefix netip.Prefix) *names {
	return &names{prefix: prefix, byName: map[string]netip.Addr{}}
}

// known returns a name's address if it was found to exist not long ago.
func (n *names) known(name string, now time.Time) (netip.Addr, bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	address, ok := n.byName[name]
	return address, ok && now.Before(n.entries[n.place(address)].until)
}

// add returns the address of a name, a new one if it had none.
func (n *names) add(name string, until time.Time) netip.Addr {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if address, ok := n.byName[name]; ok {
		n.entries[n.place(address)].until = until
		return address
	}
	place := n.next
	n.next = (n.next + 1) % maxNames
	if place == len(n.entries) {
		n.entries = append(n.entries, entry{})
	} else {
		delete(n.byName, n.entries[place].name)
	}
	address := n.address(place)
	n.entries[place] = entry{name, until}
	n.byName[name] = address
	return address
}

// of returns the name that an address stands for.
func (n *names) of(address netip.Addr) (string, bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.prefix.Contains(address) {
		return "", false
	}
	place := n.place(address)
	if place < 0 || place >= len(n.entries) {
		return "", false
	}
	return n.entries[place].name, true
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
	bytes := address.As4()
	return int(bytes[2])<<8 + int(bytes[3]) - 1
}
