package notify

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgate/callgate/gate"
)

// serveBy has several receivers serve a victim's calls, until it ends.
func serveBy(t *testing.T, handle gate.HandlerFunc) (*Listener, *victim) {
	t.Helper()
	listener, v := startVictim(t, killable())
	done := make(chan error, 1)
	go func() { done <- (&gate.Gate{Source: listener, Handler: handle, Receivers: 2}).Serve(t.Context()) }()
	t.Cleanup(func() {
		v.End()
		if err := <-done; err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		listener.Close()
	})
	return listener, v
}

func (r *receivers) counts() (waiting, resting int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.waiting), r.resting
}

// callUntilOneRests makes one call after the other, until one receiver is enough.
func callUntilOneRests(t *testing.T, listener *Listener, v *victim) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 10*time.Second; {
		if result := v.Call("getppid"); result.Value != 7 {
			t.Fatalf("getppid: %+v, want 7", result)
		}
		if waiting, resting := listener.receivers.counts(); waiting == 1 && resting == 1 {
			return
		}
	}
	t.Fatal("two receivers wait for calls that come one after the other")
}

// Where many calls come at once, both receivers serve; where one comes after the
// other, one of them rests again.
func TestReceiverComesAndGoes(t *testing.T) {
	var serving, most atomic.Int32
	listener, v := serveBy(t, func(context.Context, *gate.Trap) gate.Verdict {
		if now := serving.Add(1); now > most.Load() {
			most.Store(now)
		}
		defer serving.Add(-1)
		time.Sleep(200 * time.Microsecond)
		return gate.Return(7)
	})
	var reports []<-chan report
	for range 100 {
		reports = append(reports, v.tell(callOf("getppid", nil)))
	}
	for _, r := range reports {
		<-r
	}
	if most.Load() != 2 {
		t.Errorf("%d calls were served at once at most, want 2", most.Load())
	}
	callUntilOneRests(t, listener, v)
}

// As many calls in a row that leave another waiting wake a receiver.
func TestRushWakesReceiver(t *testing.T) {
	r := receivers{needed: make(chan struct{})}
	woken := make(chan struct{})
	go func() {
		<-r.needed
		close(woken)
	}()
	for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(time.Millisecond) { // until that one waits
		r.rush = relaxed
		for range rushed {
			r.count(true)
		}
		select {
		case <-woken:
			return
		default:
		}
	}
	t.Errorf("%d calls in a row wake nobody", rushed)
}

// A call that takes long keeps no other from being served, though a receiver rests.
func TestReceiverLooks(t *testing.T) {
	began, other := make(chan struct{}), make(chan struct{})
	listener, v := serveBy(t, func(ctx context.Context, trap *gate.Trap) gate.Verdict {
		if row, _ := trap.Syscall(); row.Name == "mkdirat" {
			close(other)
			return gate.Return(0)
		}
		if trap.Args[0] == 1 {
			close(began)
			select {
			case <-other:
			case <-time.After(20 * time.Second):
				t.Error("no other call was served for 20 s")
			}
		}
		return gate.Return(7)
	})
	callUntilOneRests(t, listener, v)
	first := v.tell(callOf("getppid", []uint64{1}))
	<-began
	v.Call("mkdirat")
	<-first
}
