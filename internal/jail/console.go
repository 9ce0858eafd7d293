package jail

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// Console is the caller's terminal while the target has one of its own: what is
// typed goes to the target, or answers a question. The target can neither draw
// over a question nor read its answer. The zero Console is ready, for one run.
type Console struct {
	drawing sync.Mutex // held by whoever writes to the caller's terminal
	mutex   sync.Mutex
	keys    chan byte     // of the question that is asked; nil: they go to the target
	asked   chan struct{} // closed when that question is over
	stdin   *os.File
	stdout  io.Writer
	master  *os.File // nil before the target's terminal is there, and after its end
}

// ErrNoConsole is the error of a question where there is no terminal to ask on.
var ErrNoConsole = errors.New("the program has no terminal of its own any more")

// attach makes questions possible, and detach impossible again.
func (c *Console) attach(stdin *os.File, stdout io.Writer, master *os.File) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.stdin, c.stdout, c.master = stdin, stdout, master
}

func (c *Console) detach() { c.attach(nil, nil, nil) }

// write is the target's output. It waits while a question is asked.
func (c *Console) write(to io.Writer, p []byte) error {
	c.drawing.Lock()
	defer c.drawing.Unlock()
	_, err := to.Write(p)
	return err
}

// typed takes what was typed, and reports whether it was for a question.
func (c *Console) typed(p []byte) bool {
	c.mutex.Lock()
	keys, asked := c.keys, c.asked
	c.mutex.Unlock()
	if keys == nil {
		return false
	}
	for _, key := range p {
		select {
		case keys <- key:
		case <-asked: // the rest was for an answer that is not wanted any more
			return true
		}
	}
	return true
}

// Line writes a prompt and returns the line that is typed then, while all that the
// target writes waits. Ctrl-C is a line of its own, which the target gets as well.
// The errors are the context's and ErrNoConsole.
func (c *Console) Line(ctx context.Context, prompt string) (string, error) {
	c.settle(ctx)
	c.drawing.Lock()
	defer c.drawing.Unlock()
	c.mutex.Lock()
	stdin, stdout, master := c.stdin, c.stdout, c.master
	if master == nil {
		c.mutex.Unlock()
		return "", ErrNoConsole
	}
	_ = sys.DropInput(stdin)
	keys, asked := make(chan byte), make(chan struct{})
	c.keys, c.asked = keys, asked
	c.mutex.Unlock()
	defer func() {
		c.mutex.Lock()
		c.keys = nil
		c.mutex.Unlock()
		close(asked)
		sys.Redraw(master)
	}()
	say := func(text string) { io.WriteString(stdout, strings.ReplaceAll(text, "\n", "\r\n")) }
	say("\n" + prompt)
	line, err := edit(ctx, keys, say)
	if line == string(rune(interrupt)) {
		master.Write([]byte{interrupt})
	}
	say("\n")
	return line, err
}

// settle gives what the target wrote before a chance to be seen before: it comes
// through the kernel's buffers and the copying goroutine. A target that goes on
// writing is not waited for.
func (c *Console) settle(ctx context.Context) {
	const pause, most = 5 * time.Millisecond, 10
	c.mutex.Lock()
	master := c.master
	c.mutex.Unlock()
	for n := 0; n < most && (n == 0 || master != nil && sys.Readable(master)); n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// The keys that a line is edited with, in a terminal that is raw.
const (
	interrupt = 3    // Ctrl-C
	backspace = 8    // Ctrl-H
	killLine  = 0x15 // Ctrl-U
	rubOut    = 0x7f
)

// maxLine bounds what a person may type.
const maxLine = 100

// edit reads a line, a key at a time.
func edit(ctx context.Context, keys <-chan byte, say func(string)) (string, error) {
	var line []byte
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case key := <-keys:
			switch {
			case key == '\r' || key == '\n':
				return string(line), nil
			case key == interrupt:
				return string(rune(interrupt)), nil
			case (key == rubOut || key == backspace) && len(line) > 0:
				line = line[:len(line)-1]
				say("\b \b")
			case key == killLine:
				say(strings.Repeat("\b \b", len(line)))
				line = nil
			case key >= ' ' && key < rubOut && len(line) < maxLine:
				line = append(line, key)
				say(string(rune(key)))
			}
		}
	}
}
