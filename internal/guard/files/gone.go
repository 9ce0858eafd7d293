package files

import (
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// interruptWhenGone has the thread's call return EINTR once the target no longer
// waits, or the gate ends. A signal that comes just before the call is lost, so
// there is more than one. The thread must not be the caller's any more before the
// returned function was called.
func (c *call) interruptWhenGone() (stop func()) {
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
			if !c.Waiting() || c.context.Err() != nil {
				_ = sys.InterruptThread(thread)
			}
		}
	}()
	return func() { close(over); <-ended }
}
