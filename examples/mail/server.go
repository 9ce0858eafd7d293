package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// limits bound what a client may use up.
type limits struct {
	connections int           // at once
	message     int           // bytes
	recipients  int           // of one message
	errors      int           // commands refused before the client is
	idle        time.Duration // between two lines
}

// defaultLimits are at least what RFC 5321, 4.5.3, asks of a server.
var defaultLimits = limits{
	connections: 16,
	message:     10 << 20,
	recipients:  100,
	errors:      20,
	idle:        5 * time.Minute,
}

// server receives mail and hands each message to its store.
type server struct {
	host   string
	store  *spool
	limits limits
}

// serve answers connections until the listener is closed, then waits for the
// sessions that are under way to end their current connection.
func (s *server) serve(listener net.Listener) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	free := make(chan struct{}, s.limits.connections)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		select {
		case free <- struct{}{}:
			sessions.Go(func() {
				defer func() { <-free }()
				defer conn.Close()
				newSession(s, conn).run()
			})
		default:
			fmt.Fprintf(conn, "421 %s too many connections, try later\r\n", s.host)
			conn.Close()
		}
	}
}
