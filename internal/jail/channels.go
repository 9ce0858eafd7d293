package jail

import (
	"os"

	"github.com/callgate/callgate/internal/sys"
)

// channels carry descriptors out of a starting target. Each is nil where the
// Spec asks for none.
type channels struct {
	terminal *terminal
	listener *listener // nil, too, where a run does without
	sockets  *sys.SocketMaker
}

// openChannels must come before init is made, which inherits the other ends.
func (s *Spec) openChannels() (c channels, err error) {
	if s.Terminal {
		if c.terminal, err = newTerminal(s.Stdin, s.Stdout); err != nil {
			return c, err
		}
		c.terminal.console = s.Console
	}
	if s.Listener != nil {
		if c.listener, err = newListener(); err != nil {
			c.close()
			return c, err
		}
	}
	if s.Relay != nil {
		if c.sockets, err = sys.NewSocketMaker(); err != nil {
			c.close()
		}
	}
	return c, err
}

// start is called once the target has its own copies.
func (c channels) start(s *Spec, child *sys.Child) {
	if c.terminal != nil {
		c.terminal.start()
	}
	if c.listener != nil {
		c.listener.start(child, s.Listener)
	}
}

func (c channels) close() {
	if c.terminal != nil {
		c.terminal.close()
	}
	if c.listener != nil {
		c.listener.close()
	}
	if c.sockets != nil {
		c.sockets.Close()
	}
}

// descriptors are those that the target's script needs.
func (c channels) descriptors() (list []int) {
	if c.terminal != nil {
		list = append(list, int(c.terminal.theirs.Fd()))
	}
	if c.listener != nil {
		list = append(list, int(c.listener.theirs.Fd()))
	}
	if c.sockets != nil {
		list = append(list, c.sockets.Theirs())
	}
	return list
}

// listener is the socket that the filter's listener comes through.
type listener struct{ ours, theirs *os.File }

func newListener() (*listener, error) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	return &listener{ours, theirs}, nil
}

// start waits for the listener, for as long as the target takes to its filter,
// and hands it on when a call has stopped there: most runs have none, and need
// nobody who would serve it. A target that does not get so far has a failed step.
func (l *listener) start(child *sys.Child, serve func(*os.File)) {
	l.theirs.Close()
	file, err := sys.ReceiveListener(l.ours)
	switch {
	case err != nil:
	case child.AwaitCall(file):
		serve(file)
	default:
		file.Close()
	}
}

func (l *listener) close() {
	l.theirs.Close()
	l.ours.Close()
}
