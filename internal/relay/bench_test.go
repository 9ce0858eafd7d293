package relay_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/policy"
)

const (
	measuredBytes   = 2 << 30
	measuredTimes   = 5000 // round trips
	measuredDialled = 1000 // connections
)

// BenchmarkRelay compares a connection to the machine's loopback with one through a
// relay: bytes a second from the server, the time of a round trip of a byte, and
// that of a connection.
func BenchmarkRelay(b *testing.B) {
	if err := errors.Join(probe.MountNamespaces.Check(), probe.LinkPairs.Check()); err != nil {
		b.Skipf("kernel lacks: %v", err)
	}
	server := measured(b)
	report := func(b *testing.B, text string) {
		var rate, trip, dial float64
		if _, err := fmt.Sscan(text, &rate, &trip, &dial); err != nil {
			b.Fatalf("%q: %v", text, err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(rate, "GB/s")
		b.ReportMetric(trip, "µs/trip")
		b.ReportMetric(dial, "µs/connect")
	}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			report(b, measure(server))
		}
	})
	b.Run("relayed", func(b *testing.B) {
		_, port, _ := net.SplitHostPort(server)
		address := net.JoinHostPort(policy.HostName, port)
		for b.Loop() {
			report(b, inside(b, "relay", []string{address}, "client", "measure", address))
		}
	})
}

// measured serves connections that begin with what they are for.
func measured(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveMeasured(conn)
		}
	}()
	return listener.Addr().String()
}

func serveMeasured(conn net.Conn) {
	defer conn.Close()
	what := make([]byte, 1)
	if _, err := conn.Read(what); err != nil {
		return
	}
	if what[0] == 't' {
		io.Copy(conn, conn)
		return
	}
	chunk := make([]byte, 1<<20)
	for range measuredBytes / len(chunk) {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
}

// measure returns gigabytes a second, and the medians of round trips and of
// connecting in microseconds.
func measure(address string) string {
	stream, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer stream.Close()
	begin := time.Now()
	stream.Write([]byte("s"))
	n, _ := io.Copy(io.Discard, struct{ io.Reader }{stream})
	rate := float64(n) / float64(time.Since(begin).Nanoseconds())

	talk, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer talk.Close()
	talk.Write([]byte("t"))
	one := []byte("x")
	trip := median(measuredTimes, func() {
		talk.Write(one)
		talk.Read(one)
	})
	dial := median(measuredDialled, func() {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
		}
	})
	return fmt.Sprint(rate, " ", trip, " ", dial)
}

// median is that of n calls, in microseconds.
func median(n int, call func()) float64 {
	took := make([]float64, n)
	for i := range took {
		begin := time.Now()
		call()
		took[i] = float64(time.Since(begin).Nanoseconds()) / 1000
	}
	slices.Sort(took)
	return took[n/2]
}
