package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// ErrGone is the error of a task that left its call, for a signal or for good:
// nobody waits for an answer any more.
var ErrGone = errors.New("the task left its call")

// Memory is the address space of a stopped task. Offsets are addresses. Its
// methods return abi.EFAULT where the task itself could not read or write, and
// ErrGone once the task has left its call: the bytes of another task, which took
// its number, are never returned.
type Memory interface {
	io.ReaderAt
	io.WriterAt
}

// Trap is one call stopped at the gate. Its registers are the kernel's copy,
// which the task can't change; its memory is the task's to change at any moment.
// So memory is copied in once: the handler and the taps see the same bytes.
//
// A Trap belongs to the handler that it is given to, until that returns.
type Trap struct {
	abi.Call
	ID     uint64 // the Source's own name for the stopped call
	Task   event.Task
	Memory Memory

	server *server // or nil
	known  bool    // Task is all that the source can tell
	copies []event.Memory
	looked bool // memory was read
	held   bool
}

// PathMax is the longest path that the kernel takes, with its ending NUL
// (include/uapi/linux/limits.h).
const PathMax = 4096

// pageSize is the smallest of any architecture: memory that starts in a page
// may end with it.
const pageSize = 4096

// Identify fills in Task what the Source can tell of it, and returns it.
func (t *Trap) Identify() event.Task {
	if t.server == nil || t.known {
		return t.Task
	}
	if source, ok := t.server.Source.(Identifier); ok {
		t.Task, t.known = source.Identify(t), true
	}
	return t.Task
}

// Path returns the text that argument i points to, up to its ending NUL. The
// errors are abi.EFAULT, abi.ENAMETOOLONG past PathMax, and ErrGone.
func (t *Trap) Path(i int) (string, error) {
	if copied, ok := t.copied(i); ok {
		return string(copied), nil
	}
	text, err := t.text(t.Args[i])
	if err != nil {
		return "", t.argumentError(i, err)
	}
	t.copies = append(t.copies, event.Memory{Arg: i, Bytes: text})
	return string(text), nil
}

// Bytes returns a copy of the length bytes that argument i points to. The
// errors are abi.EFAULT and ErrGone. An argument is copied once: asking again
// for more of it is an error.
func (t *Trap) Bytes(i, length int) ([]byte, error) {
	if copied, ok := t.copied(i); ok {
		if length > len(copied) {
			return nil, t.argumentError(i, fmt.Errorf("%d bytes were copied, %d are wanted: %w", len(copied), length, abi.EINVAL))
		}
		return bytes.Clone(copied[:length]), nil
	}
	copied := make([]byte, length)
	if err := t.Read(t.Args[i], copied); err != nil {
		return nil, t.argumentError(i, err)
	}
	t.copies = append(t.copies, event.Memory{Arg: i, Bytes: copied})
	return bytes.Clone(copied), nil
}

// Read fills p from the task's memory at an address, such as one that was found
// in a structure. Taps don't see these bytes.
func (t *Trap) Read(address uint64, p []byte) error {
	t.looked = true
	if len(p) == 0 {
		return nil
	}
	if !inUserSpace(address, len(p)) || t.Memory == nil {
		return abi.EFAULT
	}
	n, err := t.Memory.ReadAt(p, int64(address))
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return abi.EFAULT
	}
	return err
}

// Write stores p in the task's memory at an address. The errors are abi.EFAULT
// and ErrGone; part of p may have been stored then.
func (t *Trap) Write(address uint64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if !inUserSpace(address, len(p)) || t.Memory == nil {
		return abi.EFAULT
	}
	n, err := t.Memory.WriteAt(p, int64(address))
	if err == nil && n < len(p) {
		err = abi.EFAULT
	}
	return err
}

// Hold says that the answer may take long: the gate has another receiver take
// the next traps meanwhile. It is false where the gate already holds as many
// traps as it may; the handler must then answer at once.
func (t *Trap) Hold() bool {
	t.held = t.held || t.server != nil && t.server.hold()
	return t.held
}

// Waits reports whether the task still waits for its answer. A task that its
// Source can tell nothing of does.
func (t *Trap) Waits() bool {
	if t.server != nil {
		if source, ok := t.server.Source.(Waiter); ok {
			return source.Waits(t)
		}
	}
	return true
}

// Event tells of a call that is going to become what a verdict says.
func (t *Trap) Event(v Verdict) event.Event { return eventOf(t, v, resultOf(v), nil) }

// firstText is how much of a text is read at first: most paths are shorter, and
// room for the longest costs more than reading does.
const firstText = 128

// text reads no further than a page at once: what follows the NUL may not be there.
func (t *Trap) text(address uint64) ([]byte, error) {
	var text []byte
	for room := firstText; len(text) < PathMax; room = PathMax {
		chunk := make([]byte, min(pageSize-int(address%pageSize), PathMax-len(text), room))
		if err := t.Read(address, chunk); err != nil {
			return nil, err
		}
		if end := bytes.IndexByte(chunk, 0); end >= 0 {
			if text == nil {
				return chunk[:end:end], nil
			}
			return append(text, chunk[:end]...), nil
		}
		text = append(text, chunk...)
		address += uint64(len(chunk))
	}
	return nil, abi.ENAMETOOLONG
}

func (t *Trap) copied(i int) ([]byte, bool) {
	for _, m := range t.copies {
		if m.Arg == i {
			return m.Bytes, true
		}
	}
	return nil, false
}

// inUserSpace bounds what is asked of a Memory to addresses that an int64 can
// hold; no architecture gives a task more.
func inUserSpace(address uint64, length int) bool {
	end := address + uint64(length)
	return end >= address && end <= 1<<63
}

// argumentError names the argument: read argument 1 (filename) of openat at 0x0: bad address.
func (t *Trap) argumentError(i int, err error) error {
	name, call := "", t.Arch.String()
	if row, ok := t.Syscall(); ok {
		call = row.Name
		if i < len(row.Args) {
			name = " (" + row.Args[i].Name + ")"
		}
	}
	return fmt.Errorf("read argument %d%s of %s at %#x: %w", i, name, call, t.Args[i], err)
}
