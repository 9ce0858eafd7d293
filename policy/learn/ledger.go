package learn

import (
	"github.com/callgate/callgate/abi"
)

// Ledger keeps what a program was seen to do, however much that is, in bounded
// memory. Its methods are not for several goroutines at once.
type Ledger struct {
	arch                    abi.Arch
	calls                   map[string]*call
	files                   tree
	datagrams, ownDatagrams map[uint16]bool        // local ports that were sent to, and bound
	ports                   [2]map[uint16]*traffic // by direction
	host                    bool                   // the machine's network was used, other than by its TCP ports
	closed                  map[string]bool        // programs whose memory could not be read
}

// maxFiles bounds the paths that a Ledger keeps: about 200 bytes each.
const maxFiles = 50000

// NewLedger returns an empty Ledger for calls of an architecture.
func NewLedger(arch abi.Arch) *Ledger {
	return &Ledger{
		arch: arch, calls: map[string]*call{}, files: tree{most: maxFiles},
		ports:     [2]map[uint16]*traffic{{}, {}},
		datagrams: map[uint16]bool{}, ownDatagrams: map[uint16]bool{},
		closed: map[string]bool{},
	}
}

// File notes that a program used a file.
func (l *Ledger) File(f File, program string) { l.files.add(f, program) }

// Direction says which side of a connection a port is of.
type Direction int

// The directions.
const (
	Connect Direction = iota
	Bind
)

// maxPorts bounds a list of ports; a program that uses more may use all.
const maxPorts = 256

// traffic is what was done with a port.
type traffic struct {
	users
	beyond bool // an address beyond the loopback's was used
}

// Port notes that a program connected to a TCP port, or bound it; local says that
// it was at a loopback address.
func (l *Ledger) Port(d Direction, port uint16, local bool, program string) {
	list := l.ports[d]
	if list[port] == nil {
		if len(list) > maxPorts {
			return
		}
		list[port] = &traffic{}
	}
	list[port].add(program)
	list[port].beyond = list[port].beyond || !local
}

// Datagram notes that a program used a port of UDP, of which there are no lists.
func (l *Ledger) Datagram(d Direction, port uint16, local bool) {
	switch {
	case !local:
		l.host = true
	case d == Bind:
		l.ownDatagrams[port] = true
	case len(l.datagrams) <= maxPorts:
		l.datagrams[port] = true
	}
}

// maxClosed bounds the programs that are told of for what nobody could read.
const maxClosed = 20

// Closed notes a program whose memory can't be read, and so the names in its calls.
func (l *Ledger) Closed(program string) {
	if len(l.closed) < maxClosed {
		l.closed[program] = true
	}
}

// Outside notes that a program reached for the machine's network.
func (l *Ledger) Outside() { l.host = true }

// Process notes that a program started a process: by which call, nobody saw. How it
// waits for its end may be another one the next time.
func (l *Ledger) Process(program string) {
	for _, name := range []string{"clone", "fork", "vfork", "wait4", "waitid"} {
		if number, ok := l.arch.Number(name); ok {
			l.Call(abi.Call{Arch: l.arch, Nr: number}, program)
		}
	}
}

// Thread notes that a program started a thread.
func (l *Ledger) Thread(program string) {
	row, number, ok := l.arch.Find("clone")
	if !ok {
		return
	}
	flag, known := abi.ParseConstant("CLONE_THREAD", l.arch)
	at, _, found := argument(row, "flags")
	if known && found {
		c := abi.Call{Arch: l.arch, Nr: number}
		c.Args[at] = flag
		l.Call(c, program)
	}
}
