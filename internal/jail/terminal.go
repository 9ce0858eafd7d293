package jail

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// terminal connects the target's new terminal with the caller's streams.
type terminal struct {
	ours, theirs  *os.File // socket that carries the terminal's other side
	stdin, stdout *os.File
	console       *Console      // nil where nothing is asked
	done          chan struct{} // closed when everything was copied; nil before start
}

func newTerminal(stdin, stdout *os.File) (*terminal, error) {
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	return &terminal{ours: ours, theirs: theirs, stdin: stdin, stdout: stdout}, nil
}

// start is called once the target has its own copy of the socket.
func (t *terminal) start() {
	t.theirs.Close()
	t.done = make(chan struct{})
	go t.connect()
}

// connect copies until the target's last process closed the terminal.
func (t *terminal) connect() {
	defer close(t.done)
	defer t.ours.Close()
	master, err := sys.ReceiveFile(t.ours, "terminal")
	if err != nil {
		return // the target did not get so far: its failed step tells why
	}
	defer master.Close()
	if restore, err := sys.MakeRaw(t.stdin); err == nil {
		defer restore()
		stop := t.followSize(master)
		defer stop()
	}
	if t.console == nil {
		go io.Copy(master, t.stdin) // ends with this program, or with the terminal
		io.Copy(t.stdout, master)   // ends with EIO when the last process closed it
		return
	}
	t.console.attach(t.stdin, t.stdout, master)
	defer t.console.detach()
	go copyBytes(t.stdin, func(p []byte) error {
		if t.console.typed(p) {
			return nil
		}
		_, err := master.Write(p)
		return err
	})
	copyBytes(master, func(p []byte) error { return t.console.write(t.stdout, p) })
}

// copyBytes hands on what is read until either side fails.
func copyBytes(from io.Reader, to func([]byte) error) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && to(buffer[:n]) != nil || err != nil {
			return
		}
	}
}

// followSize keeps the target's terminal as large as the caller's.
func (t *terminal) followSize(master *os.File) (stop func()) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	sys.CopyWindowSize(master, t.stdin)
	go func() {
		for range resized {
			sys.CopyWindowSize(master, t.stdin)
		}
	}()
	return func() { signal.Stop(resized); close(resized) }
}

// close returns when everything the target wrote has been copied.
func (t *terminal) close() {
	t.theirs.Close()
	if t.done == nil {
		t.ours.Close()
		return
	}
	<-t.done
}
