// Package relay answers in the network of a program for the destinations that its
// policy lists, and for nothing else. It stands outside: it resolves names,
// dials, and copies bytes. What keeps the program to it is its network
// namespace, so no answer depends on memory of the program's.
package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// resolverPort is where the program's resolver listens, for TCP and UDP.
const resolverPort = 53

// Bounds of what one program may have the relay hold.
const (
	maxStreams = 512  // connections at a time, and as many to published ports
	maxFlows   = 512  // pairs of addresses that exchange datagrams, of all ports
	maxNames   = 8192 // names that have an address; the oldest loses its
	maxAnswers = 256  // questions over UDP at a time
	maxQueries = 64   // lookups at a time

	maxWaiting = 4 << 20 // bytes of datagrams that wait for a dialing
)

// Relay is ready to answer for one network.
type Relay struct {
	rules   *policy.Network
	address netip.Addr // the relay's own, where the resolver is
	names   *names
	six     bool // the program's network has IPv6
	outside Outside
	refused func(Refusal)

	// A token each.
	streams   chan struct{} // connections of the program's
	published chan struct{} // connections to it
	flows     chan struct{} // pairs of addresses that exchange datagrams
	answers   chan struct{} // questions over UDP
	queries   chan struct{} // lookups
}

// Refusal is a destination that was asked for and is not to be had.
type Refusal struct {
	Host string // a name or an address
	Port uint16 // 0 for a name that was only looked up
	UDP  bool
	// Leads is where a name leads that a rule lists, and is not let lead there; the
	// zero Addr where no rule lists it.
	Leads netip.Addr
}

// Config says what a Relay answers for.
type Config struct {
	Rules   *policy.Network
	Address netip.Addr    // the relay's own in the program's network
	Names   netip.Prefix  // the addresses that stand for names there
	Names6  netip.Prefix  // the same of IPv6
	Outside Outside       // how it dials and resolves
	Refused func(Refusal) // is told what was refused, by several goroutines at once; nil for nobody
}

// New returns a relay.
func New(c Config) *Relay {
	if c.Refused == nil {
		c.Refused = func(Refusal) {}
	}
	return &Relay{
		rules: c.Rules, address: c.Address, names: newNames(c.Names, c.Names6), outside: c.Outside, refused: c.Refused,
		streams: make(chan struct{}, maxStreams), published: make(chan struct{}, maxStreams),
		flows: make(chan struct{}, maxFlows), answers: make(chan struct{}, maxAnswers), queries: make(chan struct{}, maxQueries),
	}
}

// Ports returns the ports on which the relay must be given sockets.
func (r *Relay) Ports() (tcp, udp []uint16) {
	tcp, udp = []uint16{resolverPort}, []uint16{resolverPort}
	for _, d := range r.rules.Connect.Value {
		list := &tcp
		if d.UDP {
			list = &udp
		}
		if !slices.Contains(*list, d.Port) {
			*list = append(*list, d.Port)
		}
	}
	return tcp, udp
}

// Routes returns the addresses that the program can ask for: those of names, and
// those that rules list.
func (r *Relay) Routes() []netip.Prefix {
	routes := []netip.Prefix{r.names.prefix, r.names.prefix6}
	add := func(to netip.Prefix) {
		if !slices.Contains(routes, to) {
			routes = append(routes, to)
		}
	}
	for _, d := range r.rules.Connect.Value {
		switch {
		case d.IsAny():
			add(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
			add(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
		case !d.Prefix.IsValid() || d.Prefix.Addr().IsLoopback(): // a name, or the program's own
		default:
			add(d.Prefix)
		}
	}
	return routes
}

// Sockets are bound in the program's network, in the order of Ports.
type Sockets struct {
	TCP, UDP          []*os.File
	TCP6, UDP6        []*os.File               // of IPv6, or nil
	Packets, Packets6 *sys.Packets             // those that begin connections, which the sockets overlook until they come again; nil where they can't be watched
	Inside            func() (*os.File, error) // a new socket for TCP in the program's own network
}

// running is a relay at work.
type running struct {
	*Relay
	ctx     context.Context // done at the end
	cancel  func()
	alive   context.Context // done when the program has ended
	ended   func()
	held    *pairs // nil where packets can't be watched
	closers []func() error
	work    sync.WaitGroup
	waiting atomic.Int64 // bytes of datagrams
	sending senders      // connections over which the program may have said something that is not copied yet
}

func newRunning(r *Relay) *running {
	run := &running{Relay: r}
	run.ctx, run.cancel = context.WithCancel(context.Background())
	run.alive, run.ended = context.WithCancel(run.ctx)
	return run
}

// Start serves until stop, which waits for all that was begun. It takes the
// sockets over. The error is that of a port that can't be published.
func (r *Relay) Start(s Sockets) (stop func(), err error) {
	run := newRunning(r)
	defer func() {
		if err != nil {
			run.stop()
		}
	}()
	r.six = len(s.TCP6) > 0
	run.hold(s.Packets, s.Packets6)
	tcp, udp := r.Ports()
	for i, file := range slices.Concat(s.TCP, s.TCP6) {
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("relay TCP port %d: %w", tcp[i%len(tcp)], err)
		}
		run.serve(listener, run.streams, run.stream)
	}
	for i, file := range slices.Concat(s.UDP, s.UDP6) {
		port := udp[i%len(udp)]
		conn, err := net.FilePacketConn(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("relay UDP port %d: %w", port, err)
		}
		run.datagrams(conn.(*net.UDPConn), port)
	}
	for _, p := range r.rules.Publish {
		if err := run.publish(p, s.Inside); err != nil {
			return nil, err
		}
	}
	return run.stop, nil
}

// farewell is how long what the program sent may take to get away.
const farewell = 5 * time.Second

// stop closes what listens and what is connected. The program has ended, so that
// what it sent comes to an end, too: that is still copied. What is not connected yet
// nobody has sent anything over.
func (r *running) stop() {
	r.ended()
	r.sending.wait(farewell)
	r.cancel()
	for _, closer := range r.closers {
		closer()
	}
	r.work.Wait()
}

// serve accepts connections, as many as there are tokens for.
func (r *running) serve(listener net.Listener, tokens chan struct{}, handle func(*net.TCPConn)) {
	open := newTracker()
	r.closers = append(r.closers, listener.Close, open.close)
	r.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // out of descriptors, or the client is gone already
				open.pause()
				continue
			}
			if !open.acquire(tokens) || !open.add(conn) {
				conn.Close()
				return
			}
			r.work.Go(func() {
				defer func() { <-tokens }()
				defer open.remove(conn)
				handle(conn.(*net.TCPConn))
			})
		}
	})
}
