package relay

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// A program that sends datagrams from and to everywhere, also to a name that
// nobody resolves, has the relay hold little.
func TestFloodOfDatagrams(t *testing.T) {
	r := newRelay(t, nil, "udp/127.0.0.1:7000", "udp/127.0.0.1:7001", "udp/is-slow:7002")
	r.outside.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	run := newRunning(r)
	inside, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	name := r.names.add("is-slow", false, time.Now().Add(time.Hour)).four
	before := heap()
	text := make([]byte, 60<<10)
	for _, to := range []netip.AddrPort{
		netip.AddrPortFrom(name, 7002), netip.MustParseAddrPort("127.0.0.1:7000"), netip.MustParseAddrPort("127.0.0.1:7001"),
	} {
		f := &flows{running: run, inside: inside, open: newTracker(), byPair: map[[2]netip.AddrPort]*flow{}}
		run.closers = append(run.closers, f.open.close)
		for from := range uint16(maxFlows / 2) {
			for range flowQueue + 1 {
				f.datagram(append([]byte(nil), text...), netip.AddrPortFrom(netip.MustParseAddr("198.18.0.2"), 1024+from), to)
			}
		}
	}
	if got := len(r.flows); got > maxFlows || got < maxFlows/2 {
		t.Errorf("%d flows; want no more than %d of all ports", got, maxFlows)
	}
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the relay holds %d bytes more", grown)
	}
	run.closers = append(run.closers, inside.Close)
	run.stop()
	if got := run.waiting.Load(); got != 0 || len(r.flows) != 0 {
		t.Errorf("after the end %d bytes wait, for %d flows", got, len(r.flows))
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
