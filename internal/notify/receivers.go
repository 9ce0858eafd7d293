package notify

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// receivers are the threads that wait for a call, in an ioctl that nothing but a
// signal ends.
//
// The kernel hands calls to those that wait in turn, so that the calls of one task
// go from processor to processor where two wait: as costly as the whole rest of an
// answer. So receivers are at rest while one keeps up.
type receivers struct {
	mutex   sync.Mutex
	waiting map[int]context.Context         // what each thread's receiver may be ended by
	follows map[<-chan struct{}]func() bool // contexts whose end is listened to, and what ends that
	over    error                           // what ends all of them
	ended   chan struct{}                   // closed then
	resting int                             // how many receivers are
	needed  chan struct{}                   // wakes one of them
	rush    int                             // how many calls in a row left another waiting that nobody had received; below 0, how many didn't
}

// Changing the number of receivers costs more than a few calls that wait a little
// longer.
const (
	rushed  = 4   // as many calls in a row have a receiver at rest come back
	relaxed = -16 // as many have one go
)

// A receiver at rest looks by itself, ever less often, whether another takes long
// to serve a call.
const (
	firstRest   = 5 * time.Millisecond
	longestRest = time.Second
)

// enter records that the thread is going to wait, or returns why it must not.
func (r *receivers) enter(ctx context.Context, thread int) error {
	for rest := firstRest; ; rest = min(2*rest, longestRest) {
		rests, err := r.admit(ctx, thread)
		if err != nil || !rests {
			return err
		}
		over := time.NewTimer(rest)
		select {
		case <-r.needed:
		case <-r.ended:
		case <-ctx.Done():
		case <-over.C:
		}
		over.Stop()
		r.mutex.Lock()
		r.resting--
		r.mutex.Unlock()
	}
}

// admit is enter, unless the receiver is to rest.
func (r *receivers) admit(ctx context.Context, thread int) (rests bool, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.over != nil {
		return false, r.over
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if r.waiting == nil {
		r.waiting, r.follows = map[int]context.Context{}, map[<-chan struct{}]func() bool{}
		r.ended, r.needed, r.rush = make(chan struct{}), make(chan struct{}), relaxed
	}
	if r.rush <= relaxed && len(r.waiting) > 0 {
		r.resting++
		return true, nil
	}
	if done := ctx.Done(); done != nil && r.follows[done] == nil {
		r.follows[done] = context.AfterFunc(ctx, func() { r.forget(done); r.interrupt() })
	}
	r.waiting[thread] = ctx
	return false, nil
}

// count has a receiver come back from its rest where those that receive can't keep
// up.
func (r *receivers) count(pending bool) {
	if !pending {
		r.rush = max(min(r.rush, 0)-1, relaxed)
		return
	}
	if r.rush = max(r.rush, 0) + 1; r.rush < rushed {
		return
	}
	select {
	case r.needed <- struct{}{}:
	default: // nobody rests
	}
	r.rush = 0
}

// leave records that the thread waits no more. The function reports whether a call
// is there to be received.
func (r *receivers) leave(thread int, pending func() bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.waiting, thread)
	if r.resting > 0 || len(r.waiting) > 0 {
		r.count(pending())
	}
}

func (r *receivers) forget(done <-chan struct{}) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.follows, done)
}

// end has every receiver return the error, now and later. The first end counts.
func (r *receivers) end(err error) {
	r.mutex.Lock()
	if r.over == nil {
		r.over = err
		if r.ended != nil {
			close(r.ended)
		}
	}
	follows := maps.Clone(r.follows)
	clear(r.follows)
	r.mutex.Unlock()
	for _, stop := range follows {
		stop()
	}
	r.interrupt()
}

// interrupt returns when no thread waits that must not. A signal that comes just
// before a thread begins to wait is lost: so it is sent until the thread left.
func (r *receivers) interrupt() {
	for r.interruptOnce() {
		time.Sleep(time.Millisecond)
	}
}

// interruptOnce holds the lock while it signals, so that no thread that left is
// sent one.
func (r *receivers) interruptOnce() (some bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for thread, ctx := range r.waiting {
		if r.over != nil || ctx.Err() != nil {
			_ = sys.InterruptThread(thread)
			some = true
		}
	}
	return some
}
