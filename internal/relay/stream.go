package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
)

// destination is what the program asked for.
type destination struct {
	name    string // "" where it asked by address
	address netip.Addr
	port    uint16
	udp     bool
}

func (d destination) host() string {
	if d.name != "" {
		return d.name
	}
	return d.address.String()
}

// asked finds what an address of the program's network stands for, and whether
// the rules list it.
func (r *Relay) asked(to netip.AddrPort, udp bool) (d destination, listed bool) {
	d = destination{address: to.Addr().Unmap(), port: to.Port(), udp: udp}
	if r.names.contains(d.address) {
		name, ok := r.names.of(d.address)
		d.name = name
		return d, ok && r.rules.ReachesName(name, d.port, udp)
	}
	return d, r.rules.ReachesAddress(d.address, d.port, udp)
}

// stream serves a connection that the program made.
func (r *running) stream(inside *net.TCPConn) {
	if r.isResolver(addressOf(inside.LocalAddr())) {
		r.resolveStream(inside)
		return
	}
	r.sending.begin()
	outside := r.otherHalf(inside)
	if outside == nil {
		r.sending.end()
		reset(inside)
		return
	}
	r.splice(inside, outside)
}

// otherHalf returns the connection outside: the one that was dialled before the
// program's was let in, or where packets can't be watched, one dialled now.
func (r *running) otherHalf(inside *net.TCPConn) *net.TCPConn {
	to := addressOf(inside.LocalAddr())
	if outside := r.held.claim([2]netip.AddrPort{addressOf(inside.RemoteAddr()), to}); outside != nil {
		return outside
	}
	d, listed := r.asked(to, false)
	if !listed {
		r.refused(Refusal{Host: d.host(), Port: d.port})
		return nil
	}
	outside, err := r.dial(r.ctx, d)
	if err != nil {
		r.failed(d, err)
		return nil
	}
	return outside.(*net.TCPConn)
}

func addressOf(a net.Addr) netip.AddrPort {
	at := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// failed tells of a destination that a rule lists and that is refused all the same.
func (r *Relay) failed(d destination, err error) {
	var wrong *distrusted
	if errors.As(err, &wrong) {
		r.refused(Refusal{Host: d.host(), Port: d.port, UDP: d.udp, Leads: wrong.to})
	}
}

// isResolver reports whether an address of the program's network is its resolver's.
func (r *Relay) isResolver(to netip.AddrPort) bool {
	return to.Addr() == r.address && to.Port() == resolverPort
}

// splice copies both ways until both sides have said all. One side's end is the
// other's, and so is a reset. The caller has begun sending.
func (r *running) splice(inside, outside *net.TCPConn) {
	var both sync.WaitGroup
	one := func(to, from *net.TCPConn) {
		if _, err := io.Copy(to, from); err != nil {
			reset(inside)
			reset(outside)
			return
		}
		to.CloseWrite()
	}
	both.Go(func() { one(inside, outside) })
	one(outside, inside)
	r.sending.end()
	// A server that has nothing to say would keep the relay for ever.
	stop := context.AfterFunc(r.ctx, func() { outside.Close() })
	both.Wait()
	stop()
	inside.Close()
	outside.Close()
}

// reset closes a connection so that the other side does not take it for a
// regular end.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}
