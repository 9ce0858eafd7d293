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
type receivers struct {
	mutex   sync.Mutex
	waiting map[int]context.Context         // what each thread's receiver may be ended by
	follows map[<-chan struct{}]func() bool // contexts whose end is listened to, and what ends that
	over    error                           // what ends all of them
}

// enter records that the thread is going to wait, or returns why it must not.
func (r *receivers) enter(ctx context.Context, thread int) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.over != nil {
		return r.over
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.waiting == nil {
		r.waiting, r.follows = map[int]context.Context{}, map[<-chan struct{}]func() bool{}
	}
	if done := ctx.Done(); done != nil && r.follows[done] == nil {
		r.follows[done] = context.AfterFunc(ctx, func() { r.forget(done); r.interrupt() })
	}
	r.waiting[thread] = ctx
	return nil
}

func (r *receivers) leave(thread int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.waiting, thread)
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
