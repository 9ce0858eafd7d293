package notify

import (
	"context"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/gate"
)

// Close ends whoever waits, and the calls that are stopped or would stop later.
// A trap that is still held reaches no descriptor that has the number since.
func TestClose(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer v.End()
	stopped := v.tell(callOf("getppid", nil))
	held := next(t, listener)
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { _, err := listener.Next(context.Background()); ended <- err }()
	}
	if err := listener.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Next() = %v; want os.ErrClosed", err)
		}
	}
	for _, call := range []<-chan report{stopped, v.tell(callOf("getppid", nil))} {
		if r := <-call; r.Errno != int(unix.ENOSYS) {
			t.Errorf("after Close the task saw %+v; want ENOSYS", r)
		}
	}
	if _, err := listener.Answer(held, gate.Return(0)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close, Answer() = %v; want os.ErrClosed", err)
	}
	if err := held.Read(1, make([]byte, 1)); !errors.Is(err, gate.ErrGone) {
		t.Errorf("after Close, Read() = %v; want ErrGone", err)
	}
	if err := listener.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the second Close() = %v; want os.ErrClosed", err)
	}
}
