package relay

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// held are the connections that the program began and that wait for their other
// half outside. The listeners overlook the packet that begins one; the relay sees
// it, dials, and lets the packet come again, or answers as the outside did. So a
// program's connect(2), blocking or not, fails as it would without a relay.
type held struct {
	*running
	*pairs
	packets *sys.Packets // of one version of IP
}

// pairs are the connections that wait, by who began them and where to.
type pairs struct {
	mutex  sync.Mutex
	byPair map[[2]netip.AddrPort]*half
}

// half is the outside of a connection.
type half struct {
	conn    *net.TCPConn // nil while dialling
	claimed chan struct{}
}

// unclaimed is how long a connection outside waits for the program's half, which
// takes no longer than two packets between namespaces: then the program went away.
const unclaimed = time.Second

// lastClaim is the same once the program has ended: its packets have been sent.
const lastClaim = 50 * time.Millisecond

// hold watches what the program begins, where it can be watched.
func (r *running) hold(packets, packets6 *sys.Packets) {
	byPair := &pairs{byPair: map[[2]netip.AddrPort]*half{}}
	for _, p := range []*sys.Packets{packets, packets6} {
		if p == nil {
			continue
		}
		r.held = byPair
		h := &held{running: r, pairs: byPair, packets: p}
		r.closers = append(r.closers, p.Close)
		r.work.Go(func() {
			buffer := make([]byte, 2048)
			for {
				size, err := p.Receive(buffer)
				if errors.Is(err, os.ErrClosed) {
					return
				}
				if o, ok := readOpening(buffer[:size]); err == nil && ok {
					o.packet = append([]byte(nil), o.packet...)
					h.begin(o)
				}
			}
		})
	}
}

// begin deals with the first packet of a connection, and with its repeats.
func (h *held) begin(o opening) {
	if h.isResolver(o.to) {
		h.admit(o)
		return
	}
	d, listed := h.asked(o.to, false)
	if !listed {
		h.refused(Refusal{Host: d.host(), Port: d.port})
		h.packets.Send(o.reset(), o.from.Addr())
		return
	}
	pair := [2]netip.AddrPort{o.from, o.to}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, known := h.byPair[pair]; known || len(h.byPair) == maxStreams {
		return // dialling; or it will come again
	}
	waiting := &half{claimed: make(chan struct{})}
	h.byPair[pair] = waiting
	h.work.Go(func() { h.dialFor(o, pair, d, waiting) })
}

func (h *held) dialFor(o opening, pair [2]netip.AddrPort, d destination, waiting *half) {
	outside, err := h.dial(h.alive, d)
	if err != nil {
		h.claim(pair)
		h.failed(d, err)
		h.packets.Send(answerTo(o, err, h.router(o)), o.from.Addr())
		return
	}
	h.mutex.Lock()
	waiting.conn = outside.(*net.TCPConn)
	h.mutex.Unlock()
	h.sending.begin()
	defer h.sending.end()
	h.admit(o)
	if h.isClaimed(waiting) {
		return
	}
	if left := h.claim(pair); left != nil {
		left.Close()
	}
}

// isClaimed waits for the program's half. A program that has ended connects no more,
// but what it connected before may be about to be claimed.
func (h *held) isClaimed(waiting *half) bool {
	timer := time.NewTimer(unclaimed)
	defer timer.Stop()
	alive := h.alive.Done()
	for {
		select {
		case <-waiting.claimed:
			return true
		case <-alive:
			alive = nil
			timer.Reset(lastClaim)
		case <-timer.C:
			return false
		case <-h.ctx.Done():
			return false
		}
	}
}

// admit lets the packet come again, by the loopback.
func (h *held) admit(o opening) {
	h.packets.Send(o.again(), o.to.Addr())
}

// answerTo is what the program is told of a failure outside. A connection that
// timed out is begun again by the program's own patience, as it would be outside.
func answerTo(o opening, err error, router netip.Addr) []byte {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.As(err, &dns):
		return o.unreachable(router)
	}
	return o.reset()
}

// router is who tells that there is no way: for IPv6, in whose name doesn't matter.
func (h *held) router(o opening) netip.Addr {
	if o.to.Addr().Is6() {
		return o.to.Addr()
	}
	return h.address
}

// claim returns the other half of a connection, once.
func (p *pairs) claim(pair [2]netip.AddrPort) *net.TCPConn {
	if p == nil {
		return nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	waiting := p.byPair[pair]
	if waiting == nil {
		return nil
	}
	delete(p.byPair, pair)
	close(waiting.claimed)
	return waiting.conn
}
