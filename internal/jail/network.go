package jail

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// Relay is a network of the target's own in which callgate answers. Two network
// namespaces make it: in the target's there are a loopback and one end of a pair
// of links; in the other, which nothing leads out of, are the other end and
// callgate's sockets. So what the target binds is never in the way of what
// callgate does, and it can't touch those sockets.
type Relay struct {
	TCP, UDP []uint16       // the ports that callgate answers on, whatever the address
	Routes   []netip.Prefix // the addresses that the target can ask for; the others are unreachable

	// Start is given the sockets, before the target runs, and closes them. It is
	// called in each attempt; what it returns is called at the attempt's end.
	Start func(RelaySockets) (stop func(), err error)
}

// RelaySockets are the sockets of a relay.
type RelaySockets struct {
	TCP, UDP []*os.File // bound to the ports of the Relay, in their order
	// TCP6 and UDP6 are the same for IPv6; nil where the kernel has none.
	TCP6, UDP6 []*os.File
	// Packets are those that begin TCP connections, which the sockets overlook until
	// they come again by the loopback; nil where such sockets can't be had.
	Packets, Packets6 *sys.Packets
	// Inside returns a new TCP socket in the target's network.
	Inside func() (*os.File, error)
}

// The addresses of a relay's network, in the block for benchmarks of networks
// (RFC 2544), which is nobody's: callgate's own, at which the target finds its
// resolver, the target's, and those that stand for names.
var (
	RelayAddress   = netip.MustParseAddr("198.18.0.1")
	targetAddress  = netip.MustParseAddr("198.18.0.2")
	NamedAddresses = netip.MustParsePrefix("198.19.0.0/16")
	linkNetwork    = 30 // bits
)

// The same for IPv6, in a block for networks that lead nowhere else (RFC 4193):
// programs that may choose prefer IPv4 to it (RFC 6724).
var (
	RelayAddress6   = netip.MustParseAddr("fdca:11:6a7e::1")
	targetAddress6  = netip.MustParseAddr("fdca:11:6a7e::2")
	NamedAddresses6 = netip.MustParsePrefix("fdca:11:6a7e:1::/112")
	linkNetwork6    = 126 // bits
)

const (
	linkName  = "eth0"
	linkIndex = 100 // past those that a kernel gives every namespace, as tunl0
)

// connectRelay makes the two networks with init, which is at its step for it, and
// has callgate's side start. An init that ended before says by itself why.
func (s *Spec) connectRelay(pid int, maker *sys.SocketMaker) (stop func(), err error) {
	maker.Started()
	sockets, err := s.relaySockets(pid, maker)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return func() {}, nil
	}
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		return nil, &WallError{Wall: Network, Step: stepOf(err, errno), Errno: errno}
	}
	return s.Relay.Start(sockets)
}

// stepOf is an error's text without its errno.
func stepOf(err error, errno syscall.Errno) string {
	text, end := err.Error(), ": "+errno.Error()
	if len(text) > len(end) && text[len(text)-len(end):] == end {
		return text[:len(text)-len(end)]
	}
	return text
}

func (s *Spec) relaySockets(pid int, maker *sys.SocketMaker) (sockets RelaySockets, err error) {
	defer func() {
		if err != nil {
			sockets.close()
		}
	}()
	sockets.Inside = func() (*os.File, error) { return maker.Socket(sys.IPv4, sys.StreamSocket, 0) }
	outer, err := newNetlink(maker)
	if err != nil {
		return sockets, err
	}
	defer outer.Close()
	four, err := s.version(maker, sys.IPv4, sys.PacketSocket)
	if err != nil {
		return sockets, err
	}
	sockets.TCP, sockets.UDP = four.tcp, four.udp
	defer four.forget()
	six, err := s.version(maker, sys.IPv6, sys.PacketSocket6)
	if err != nil && !isAbsent(err) {
		return sockets, err
	}
	sockets.TCP6, sockets.UDP6 = six.tcp, six.udp
	defer six.forget()
	if err := maker.NewNetwork(); err != nil {
		return sockets, err
	}
	inner, err := newNetlink(maker)
	if err != nil {
		return sockets, err
	}
	defer inner.Close()
	if err := s.link(outer, inner, pid); err != nil {
		return sockets, err
	}
	if len(six.tcp) > 0 {
		if err := s.link6(outer, inner); err != nil && !isAbsent(err) {
			return sockets, err
		} else if err != nil {
			sockets.close6()
		}
	}
	if sockets.Packets, err = four.watch(sys.WatchConnections); err != nil {
		return sockets, err
	}
	if len(sockets.TCP6) > 0 {
		if sockets.Packets6, err = six.watch(sys.WatchConnections6); err != nil {
			return sockets, err
		}
	}
	return sockets, maker.GoOn()
}

// isAbsent reports whether an error means that there is no IPv6: the kernel has
// none, or it is switched off.
func isAbsent(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EAFNOSUPPORT, syscall.EOPNOTSUPP, syscall.EACCES, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// version are the sockets of one version of IP.
type version struct {
	tcp, udp []*os.File
	packets  *os.File // nil where packets can't be watched
}

// forget closes what was not watched.
func (v *version) forget() {
	if v.packets != nil {
		v.packets.Close()
	}
}

// watch hands over the socket for packets, if there is one.
func (v *version) watch(how func(*os.File, int) (*sys.Packets, error)) (*sys.Packets, error) {
	if v.packets == nil {
		return nil, nil
	}
	packets, err := how(v.packets, linkIndex)
	if err == nil {
		v.packets = nil
	}
	return packets, err
}

// version makes the sockets of one version of IP.
func (s *Spec) version(maker *sys.SocketMaker, family int, packets [3]int) (v version, err error) {
	made := &v
	defer func() {
		if err != nil {
			made.forget()
			closeAll(made.tcp, made.udp)
			v = version{}
		}
	}()
	if v.packets, err = maker.Socket(packets[0], packets[1], packets[2]); err != nil {
		v.packets = nil
	}
	for _, ports := range []struct {
		list []uint16
		kind int
		into *[]*os.File
	}{{s.Relay.TCP, sys.StreamSocket, &v.tcp}, {s.Relay.UDP, sys.DatagramSocket, &v.udp}} {
		for _, port := range ports.list {
			socket, err := maker.Socket(family, ports.kind, 0)
			if err != nil {
				return v, err
			}
			*ports.into = append(*ports.into, socket)
			if ports.kind == sys.StreamSocket && v.packets != nil {
				if err := sys.HoldConnections(socket, linkIndex); err != nil {
					return v, err
				}
			}
			if err := sys.BindAny(socket, port); err != nil {
				return v, fmt.Errorf("port %d: %w", port, err)
			}
		}
	}
	return v, nil
}

func (r *RelaySockets) close() {
	closeAll(r.TCP, r.UDP)
	r.close6()
	for _, packets := range []*sys.Packets{r.Packets, r.Packets6} {
		if packets != nil {
			packets.Close()
		}
	}
}

func (r *RelaySockets) close6() {
	closeAll(r.TCP6, r.UDP6)
	r.TCP6, r.UDP6 = nil, nil
}

func closeAll(lists ...[]*os.File) {
	for _, list := range lists {
		for _, socket := range list {
			socket.Close()
		}
	}
}

func newNetlink(maker *sys.SocketMaker) (*sys.Netlink, error) {
	socket, err := maker.Socket(sys.NetlinkSocket[0], sys.NetlinkSocket[1], sys.NetlinkSocket[2])
	if err != nil {
		return nil, err
	}
	return sys.NewNetlink(socket), nil
}

// link joins the two networks. On callgate's side every address is its own but
// the target's; on the target's there is a way to those that it can ask for.
func (s *Spec) link(outer, inner *sys.Netlink, pid int) error {
	every := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	target := netip.PrefixFrom(targetAddress, targetAddress.BitLen())
	err := firstError(
		func() error { return outer.LinkUp(sys.Loopback) },
		func() error { return outer.VethPair(linkName, linkIndex, pid) },
		func() error { return outer.Address(linkIndex, netip.PrefixFrom(RelayAddress, linkNetwork)) },
		func() error { return outer.LinkUp(linkIndex) },
		func() error { return outer.Route(sys.Route{To: every, Link: sys.Loopback, Local: true}) },
		func() error { return outer.Route(sys.Route{To: target, Link: linkIndex, First: true}) },
		func() error { return inner.LinkUp(sys.Loopback) },
		func() error { return inner.Address(linkIndex, netip.PrefixFrom(targetAddress, linkNetwork)) },
		func() error { return inner.LinkUp(linkIndex) },
	)
	for _, to := range s.Relay.Routes {
		if err == nil && to.Addr().Is4() {
			err = inner.Route(sys.Route{To: to, Via: RelayAddress, Link: linkIndex})
		}
	}
	return err
}

// link6 is link for IPv6, which wants links that are up.
func (s *Spec) link6(outer, inner *sys.Netlink) error {
	every := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	target := netip.PrefixFrom(targetAddress6, targetAddress6.BitLen())
	err := firstError(
		func() error { return outer.Address(linkIndex, netip.PrefixFrom(RelayAddress6, linkNetwork6)) },
		func() error { return outer.Route(sys.Route{To: every, Link: sys.Loopback, Local: true}) },
		func() error { return outer.Route(sys.Route{To: target, Link: linkIndex, First: true}) },
		func() error { return inner.Address(linkIndex, netip.PrefixFrom(targetAddress6, linkNetwork6)) },
	)
	for _, to := range s.Relay.Routes {
		if err == nil && to.Addr().Is6() {
			err = inner.Route(sys.Route{To: to, Via: RelayAddress6, Link: linkIndex})
		}
	}
	return err
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
