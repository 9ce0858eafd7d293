package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

const (
	flowIdle    = 60 * time.Second // a flow without datagrams either way ends
	flowQueue   = 16               // datagrams that wait for the dialing
	maxDatagram = 64 << 10         // bytes
)

// flow is one pair of addresses that exchange datagrams: a connected socket
// outside.
type flow struct {
	from, to netip.AddrPort // in the program's network
	queue    chan []byte    // towards the outside
}

// flows are those of one socket in the program's network.
type flows struct {
	*running
	inside *net.UDPConn
	open   *tracker
	mutex  sync.Mutex
	byPair map[[2]netip.AddrPort]*flow
}

// datagrams serves a UDP port.
func (r *running) datagrams(inside *net.UDPConn, port uint16) {
	f := &flows{running: r, inside: inside, open: newTracker(), byPair: map[[2]netip.AddrPort]*flow{}}
	r.closers = append(r.closers, inside.Close, f.open.close)
	r.work.Go(func() {
		buffer, control := make([]byte, maxDatagram), make([]byte, 64)
		for {
			n, size, _, from, err := inside.ReadMsgUDPAddrPort(buffer, control)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // such as "connection refused" for an answer sent before
				continue
			}
			to, ok := sys.DestinationOf(control[:size])
			if !ok {
				continue
			}
			f.datagram(append([]byte(nil), buffer[:n]...), from, netip.AddrPortFrom(to, port))
		}
	})
}

// datagram sends one on. A program that sends faster than the outside takes loses
// some, as it would on any network.
func (f *flows) datagram(text []byte, from, to netip.AddrPort) {
	if f.isResolver(to) {
		f.query(text, from, to)
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	pair := [2]netip.AddrPort{from, to}
	known := f.byPair[pair]
	if known == nil {
		d, listed := f.asked(to, true)
		if !listed {
			f.refused(Refusal{Host: d.host(), Port: d.port, UDP: true})
			return
		}
		if !f.open.acquireNow(f.flows) {
			return
		}
		known = &flow{from: from, to: to, queue: make(chan []byte, flowQueue)}
		f.byPair[pair] = known
		f.work.Go(func() {
			f.run(known, d)
			f.mutex.Lock()
			defer f.mutex.Unlock()
			delete(f.byPair, pair)
			for len(known.queue) > 0 {
				f.next(<-known.queue)
			}
			<-f.flows
		})
	}
	if f.waiting.Load()+int64(len(text)) > maxWaiting {
		return
	}
	f.waiting.Add(int64(len(text)))
	select {
	case known.queue <- text:
	default:
		f.waiting.Add(-int64(len(text)))
	}
}

// next takes a datagram from those that wait.
func (f *flows) next(text []byte) []byte {
	f.waiting.Add(-int64(len(text)))
	return text
}

// query answers a question to the resolver.
func (f *flows) query(text []byte, from, to netip.AddrPort) {
	if len(text) > maxQuery || !f.open.acquireNow(f.answers) {
		return
	}
	f.work.Go(func() {
		defer func() { <-f.answers }()
		if answer := f.answer(f.ctx, text); answer != nil {
			f.inside.WriteMsgUDPAddrPort(answer, sys.SourceControl(to.Addr()), from)
		}
	})
}

// run dials and copies both ways until nothing comes for a while.
func (f *flows) run(flow *flow, d destination) {
	ctx, cancel := context.WithTimeout(f.ctx, dialTimeout)
	defer cancel()
	outside, err := f.dial(ctx, d)
	if err != nil {
		f.failed(d, err)
		return
	}
	if !f.open.add(outside) {
		outside.Close()
		return
	}
	defer f.open.remove(outside)
	ended := make(chan struct{})
	f.work.Go(func() {
		defer close(ended)
		f.answersOf(outside, flow)
	})
	for {
		select {
		case text := <-flow.queue:
			outside.SetReadDeadline(time.Now().Add(flowIdle))
			outside.Write(f.next(text))
		case <-ended:
			return
		}
	}
}

// rooms are buffers for a datagram each: a flow has one only while it reads.
var rooms = sync.Pool{New: func() any { return new([maxDatagram]byte) }}

// answersOf copies what comes from outside.
func (f *flows) answersOf(outside net.Conn, flow *flow) {
	source := sys.SourceControl(flow.to.Addr())
	raw, err := outside.(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	for {
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			room := rooms.Get().(*[maxDatagram]byte)
			defer rooms.Put(room)
			var n int
			if n, failed = syscall.Read(int(fd), room[:]); failed == syscall.EAGAIN || failed == syscall.EINTR {
				return false
			}
			if failed == nil {
				f.inside.WriteMsgUDPAddrPort(room[:n], source, flow.from)
			}
			return true
		})
		if err != nil || failed != nil {
			return
		}
		outside.SetReadDeadline(time.Now().Add(flowIdle))
	}
}
