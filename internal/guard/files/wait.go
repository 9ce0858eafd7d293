package files

import (
	"strconv"
	"syscall"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// hold makes the receiver's thread the call's own, or refuses it where too many
// are held.
func (o *opening) hold() error {
	if !o.Hold() {
		return &gate.Refusal{Errno: abi.EAGAIN, Why: event.Why{
			Text: "more than " + strconv.Itoa(maxHeld) + " opens wait for their other end", Wall: policy.WallPatterns,
		}}
	}
	o.release()
	return nil
}

// wait opens what may take its time.
func (o *opening) wait(s *spot) gate.Verdict {
	if err := o.hold(); err != nil {
		return gate.Done(err)
	}
	stop := InterruptWhen(o.left)
	defer stop()
	for {
		fd, err := o.once(s, o.flags)
		if err == syscall.EINTR && !o.left() {
			continue
		}
		return o.give(fd, err)
	}
}

// waitForWriter gives the reading end of a FIFO, which is open already, once a
// writer has come. A second open waits for one that comes and stays; one that has
// come and gone the first end remembers.
func (o *opening) waitForWriter(s *spot) gate.Verdict {
	if err := o.hold(); err != nil {
		return gate.Done(err)
	}
	came := func() bool { return sys.WriterCame(s.folder) }
	stop := InterruptWhen(func() bool { return o.left() || came() })
	defer stop()
	for !came() {
		fd, err := sys.Reopen(s.folder, syscall.O_RDONLY)
		if err == nil {
			sys.Close(fd)
			break
		}
		if err != syscall.EINTR || o.left() {
			return gate.Done(err)
		}
	}
	if err := sys.SetStatusFlags(s.folder, o.flags); err != nil {
		return gate.Done(err)
	}
	s.shared = true // the answer closes it
	return o.give(s.folder, nil)
}

// left reports whether nobody waits for the call any more.
func (c *call) left() bool { return !c.Waits() || c.context.Err() != nil }

// InterruptWhen has the thread's call return EINTR once something is so. A signal
// that comes just before the call is lost, so there is more than one. The thread
// must not be the caller's any more before the returned function was called.
func InterruptWhen(so func() bool) (stop func()) {
	thread := sys.ThreadID()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			if so() {
				_ = sys.InterruptThread(thread)
			}
		}
	}()
	return func() { close(over); <-ended }
}
