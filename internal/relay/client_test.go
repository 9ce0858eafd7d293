package relay_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/policy"
)

// client is a program in the relay's network: it prints what it gets and ends.
func client(role, address string) {
	network := "tcp"
	if role == "datagram" {
		network = "udp"
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		fmt.Println(errnoOf(err))
		os.Exit(0)
	}
	switch role {
	case "ask": // and say that there is no more to come
		io.WriteString(conn, "question")
		conn.(*net.TCPConn).CloseWrite()
		text, err := io.ReadAll(conn)
		fmt.Println(string(text), errnoOf(err))
	case "datagram":
		conn.Write([]byte("question"))
		text := make([]byte, 100)
		n, err := conn.Read(text)
		fmt.Println(string(text[:n]), errnoOf(err))
	case "measure":
		fmt.Println(measure(address))
	case "leave": // with a connection that nobody has said anything over
	case "send": // and end at once
		conn.Write(make([]byte, farewellSize))
	}
	os.Exit(0)
}

const farewellSize = 4 << 20

func errnoOf(err error) string {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such name"
	}
	return err.Error()
}

// serveWith accepts one connection at a time.
func serveWith(t *testing.T, handle func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			handle(conn.(*net.TCPConn))
			conn.Close()
		}
	}()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// TestConnectionsEndAsOutside holds that a program sees of a connection what it
// would see without a relay.
func TestConnectionsEndAsOutside(t *testing.T) {
	if err := errors.Join(probe.MountNamespaces.Check(), probe.LinkPairs.Check()); err != nil {
		t.Skipf("kernel lacks: %v", err)
	}
	answering := serveWith(t, func(c *net.TCPConn) {
		text, _ := io.ReadAll(c)
		io.WriteString(c, "answer to "+string(text))
	})
	resetting := serveWith(t, func(c *net.TCPConn) {
		c.Read(make([]byte, 1)) // the program is there
		c.SetLinger(0)
	})
	received := make(chan int64, 2)
	counting := serveWith(t, func(c *net.TCPConn) {
		n, _ := io.Copy(io.Discard, c)
		received <- n
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().(*net.TCPAddr).AddrPort()
	closed.Close()
	datagrams := serve(t, netip.MustParseAddr("127.0.0.1"), "answer")
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	silent := serveWith(t, func(*net.TCPConn) { <-over }) // and deaf: it doesn't see the end
	host := func(a netip.AddrPort) string { return policy.HostName + ":" + port(a) }
	rules := []string{host(answering), host(resetting), host(counting), host(nobody), host(silent), "udp/" + host(datagrams)}
	for _, c := range []struct{ what, role, address, want string }{
		{"half closed", "ask", host(answering), "answer to question no error"},
		{"reset", "ask", host(resetting), " ECONNRESET"},
		{"nobody listens", "ask", host(nobody), "ECONNREFUSED"},
		{"left alone", "leave", host(silent), ""},
		{"not listed", "ask", policy.HostName + ":1", "ECONNREFUSED"},
		{"no route", "ask", "192.0.2.1:" + port(answering), "ENETUNREACH"},
		{"no such name", "ask", "other.example:" + port(answering), "no such name"},
		{"datagram", "datagram", host(datagrams), "answer no error"},
		{"datagram to a port for streams", "datagram", host(answering), " ECONNREFUSED"},
		{"sent before the end", "send", host(counting), ""},
	} {
		if got := inside(t, "relay", rules, "client", c.role, c.address); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: %q; want %q", c.what, got, c.want)
		}
	}
	if n := <-received; n != farewellSize {
		t.Errorf("%d of %d bytes came through", n, farewellSize)
	}
}
