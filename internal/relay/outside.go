package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/callgate/callgate/policy"
)

// Outside is the network that the relay itself has. The zero Outside is the
// machine's.
type Outside struct {
	Resolver *net.Resolver // nil is Go's own
}

// distrusted is a name that leads to where its rule does not let it.
type distrusted struct{ to netip.Addr }

func (d *distrusted) Error() string { return "not let lead to " + d.to.String() }

const dialTimeout = 30 * time.Second

// exists reports whether a name has an address, and whether one of IPv6. The error
// is that of a lookup that found out neither.
func (o *Outside) exists(ctx context.Context, name string) (exists, six bool, err error) {
	resolver := o.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addresses, err := resolver.LookupNetIP(ctx, "ip", name+".")
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return false, false, nil
	}
	six = slices.ContainsFunc(addresses, func(a netip.Addr) bool { return a.Unmap().Is6() })
	return err == nil, six, err
}

// dial connects to a destination that the rules list. Each address that a name
// leads to is judged when it is about to be used, so that a second answer of a
// name server can't be another than the one that was judged.
func (r *Relay) dial(ctx context.Context, d destination) (net.Conn, error) {
	network := "tcp"
	if d.udp {
		network = "udp"
	}
	dialer := net.Dialer{Timeout: dialTimeout, Resolver: r.outside.Resolver}
	port := strconv.Itoa(int(d.port))
	if d.name == "" {
		return dialer.DialContext(ctx, network, net.JoinHostPort(d.address.String(), port))
	}
	dialer.ControlContext = func(_ context.Context, _, text string, _ syscall.RawConn) error {
		address, err := netip.ParseAddrPort(text)
		if err != nil {
			return err
		}
		if !r.rules.TrustsName(d.name, address.Addr(), d.port, d.udp) {
			return &distrusted{address.Addr().Unmap()}
		}
		return nil
	}
	host := d.name + "."
	if d.name == policy.HostName {
		host = "127.0.0.1"
	}
	return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
}
