package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// publish has a port of the machine lead to one of the program's.
func (r *running) publish(p policy.Publication, inside func() (*os.File, error)) error {
	listener, err := net.Listen("tcp", p.Listen().String())
	if err != nil {
		cure := "choose another port of the machine"
		if errors.Is(err, fs.ErrPermission) {
			cure = "choose a port of the machine from 1024 on"
		}
		return fmt.Errorf("publish %s: %w: %s", p, err, cure)
	}
	r.serve(listener, r.published, func(outside *net.TCPConn) {
		conn, err := connectInside(inside, p.Inside)
		if err != nil { // nobody listens there, yet or any more
			reset(outside)
			return
		}
		r.sending.begin()
		r.splice(conn, outside)
	})
	return nil
}

// connectInside connects to the program's loopback.
func connectInside(inside func() (*os.File, error), port uint16) (*net.TCPConn, error) {
	socket, err := inside()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	if err := sys.ConnectLoopback(socket, port); err != nil {
		return nil, err
	}
	conn, err := net.FileConn(socket)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
