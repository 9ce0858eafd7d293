package gate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
)

// seen is a tap that keeps what it saw.
type seen struct {
	mutex  sync.Mutex
	events []event.Event
}

func (s *seen) Observe(e event.Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.events = append(s.events, e)
}

// serve runs a gate over a new source until do returns.
func serve(t *testing.T, g gate.Gate, do func(*gatetest.Source)) {
	t.Helper()
	source := gatetest.NewSource()
	g.Source = source
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	do(source)
	source.End()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v; want nil when no task is left", err)
	}
}

func TestTapsSeeWhatBecameOfACall(t *testing.T) {
	refusal := &gate.Refusal{Errno: abi.EACCES, Why: event.Why{Text: "/etc/shadow is hidden", Rule: "mail.yaml:3", Wall: "files"}}
	for _, c := range []struct {
		name    string
		handler gate.HandlerFunc
		want    event.Event
	}{
		{
			"refused with a reason",
			func(_ context.Context, trap *gate.Trap) gate.Verdict {
				if _, err := trap.Path(1); err != nil {
					return gate.Fail(err)
				}
				return gate.Fail(fmt.Errorf("open: %w", refusal))
			},
			event.Event{Outcome: event.Refused, Errno: abi.EACCES, Why: refusal.Why, Memory: []event.Memory{{Arg: 1, Bytes: []byte("/etc/shadow")}}},
		},
		{
			"refused with an error",
			func(context.Context, *gate.Trap) gate.Verdict { return gate.Fail(abi.EPERM) },
			event.Event{Outcome: event.Refused, Errno: abi.EPERM, Why: event.Why{Text: "operation not permitted"}},
		},
		{
			"the zero verdict",
			func(context.Context, *gate.Trap) gate.Verdict { return gate.Verdict{} },
			event.Event{Outcome: event.Refused, Errno: abi.ENOSYS},
		},
		{
			"allowed by its registers",
			func(context.Context, *gate.Trap) gate.Verdict { return gate.Continue() },
			event.Event{Outcome: event.Allowed},
		},
		{
			"allowed by its memory",
			func(_ context.Context, trap *gate.Trap) gate.Verdict {
				if err := trap.Read(trap.Args[1], make([]byte, 4)); err != nil {
					return gate.Fail(err)
				}
				return gate.Continue()
			},
			event.Event{Outcome: event.Allowed, Advisory: true},
		},
		{
			"expected to be refused by the kernel",
			func(context.Context, *gate.Trap) gate.Verdict { return gate.Expect(refusal) },
			event.Event{Outcome: event.Allowed, Errno: abi.EACCES, Why: refusal.Why},
		},
		{
			"emulated",
			func(context.Context, *gate.Trap) gate.Verdict { return gate.Return(5) },
			event.Event{Outcome: event.Emulated, Result: 5},
		},
		{
			"a handler that panics",
			func(context.Context, *gate.Trap) gate.Verdict { panic("a mistake") },
			event.Event{Outcome: event.Refused, Errno: abi.EIO, Why: event.Why{Text: "the handler failed: a mistake: input/output error"}},
		},
		{"no handler", nil, event.Event{Outcome: event.Refused, Errno: abi.ENOSYS}},
	} {
		tap := &seen{}
		g := gate.Gate{Taps: []gate.Tap{tap}}
		if c.handler != nil {
			g.Handler = c.handler
		}
		serve(t, g, func(s *gatetest.Source) {
			got := s.Call("openat", 0, s.Put([]byte("/etc/shadow\x00")))
			if c.want.Outcome == event.Refused && got.Errno != c.want.Errno || got.Value != c.want.Result {
				t.Errorf("%s: the task saw %+v; want %v, %d", c.name, got, c.want.Errno, c.want.Result)
			}
		})
		if len(tap.events) != 1 {
			t.Fatalf("%s: %d events; want 1", c.name, len(tap.events))
		}
		got := tap.events[0]
		c.want.Task, c.want.Call = event.Task{PID: 1, TID: 1, Program: "task"}, got.Call
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A handler that waits holds its trap, and others pass meanwhile, with a single
// receiver; more than the limit is not held.
func TestHeldTrapsKeepNobodyWaiting(t *testing.T) {
	const limit = 3
	release := make(chan struct{})
	holding := make(chan bool)
	handler := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		if row, _ := trap.Syscall(); row.Name == "getppid" {
			return gate.Return(1)
		}
		held := trap.Hold()
		if held && !trap.Hold() {
			t.Error("holding a held trap again failed")
		}
		holding <- held
		if held {
			<-release
		}
		return gate.Fail(abi.EACCES)
	}
	serve(t, gate.Gate{Handler: gate.HandlerFunc(handler), Limit: limit}, func(s *gatetest.Source) {
		for range 2 { // what is released can be held again
			var group sync.WaitGroup
			for range limit {
				group.Go(func() { s.Call("openat") })
				if !<-holding {
					t.Error("Hold() failed below the limit")
				}
			}
			if got := s.Call("getppid"); got.Value != 1 {
				t.Errorf("beside held traps, a call saw %+v; want 1", got)
			}
			group.Go(func() { s.Call("openat") })
			if <-holding {
				t.Error("Hold() succeeded past the limit")
			}
			for range limit {
				release <- struct{}{}
			}
			group.Wait()
		}
	})
}

// recorder keeps what was decided, and fails where it has an error.
type recorder struct {
	seen
	answered func() bool
	err      error
}

func (r *recorder) Record(e event.Event) error {
	if r.answered() {
		panic("recorded after the answer")
	}
	r.Observe(e)
	return r.err
}

// answers is a Source that knows whether it answered.
type answers struct {
	*gatetest.Source
	answered atomic.Bool
}

func (a *answers) Answer(t *gate.Trap, v gate.Verdict) (int64, error) {
	a.answered.Store(true)
	return a.Source.Answer(t, v)
}

// What is decided is recorded before the task is answered, and refused where it
// can't be.
func TestRecord(t *testing.T) {
	full := errors.New("the disk is full")
	for _, c := range []struct {
		name    string
		verdict func(*os.File) gate.Verdict
		err     error
		record  event.Event // what is decided
		seen    event.Event // what becomes of it
	}{
		{
			"allowed", func(*os.File) gate.Verdict { return gate.Continue() }, nil,
			event.Event{Outcome: event.Allowed},
			event.Event{Outcome: event.Allowed},
		},
		{
			"given", func(f *os.File) gate.Verdict { return gate.Give(f, true) }, nil,
			event.Event{Outcome: event.Given, Result: -1},
			event.Event{Outcome: event.Given, Result: 3},
		},
		{
			"allowed, not recorded", func(*os.File) gate.Verdict { return gate.Continue() }, full,
			event.Event{Outcome: event.Allowed},
			event.Event{Outcome: event.Refused, Errno: abi.EIO, Why: event.Why{Text: "record the call: the disk is full"}},
		},
		{
			"emulated, not recorded", func(*os.File) gate.Verdict { return gate.Return(4) }, full,
			event.Event{Outcome: event.Emulated, Result: 4},
			event.Event{Outcome: event.Refused, Errno: abi.EIO, Why: event.Why{Text: "record the call: the disk is full"}},
		},
		{
			"given, not recorded", func(f *os.File) gate.Verdict { return gate.Give(f, true) }, full,
			event.Event{Outcome: event.Given, Result: -1},
			event.Event{Outcome: event.Refused, Errno: abi.EIO, Why: event.Why{Text: "record the call: the disk is full"}},
		},
		{
			"refused, not recorded", func(*os.File) gate.Verdict { return gate.Fail(abi.EACCES) }, full,
			event.Event{Outcome: event.Refused, Errno: abi.EACCES, Why: event.Why{Text: "permission denied"}},
			event.Event{Outcome: event.Refused, Errno: abi.EACCES, Why: event.Why{Text: "permission denied"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			fake := gatetest.NewSource()
			source := &answers{Source: fake}
			records, tap := &recorder{answered: source.answered.Load, err: c.err}, &seen{}
			handler := gate.HandlerFunc(func(context.Context, *gate.Trap) gate.Verdict { return c.verdict(file) })
			g := gate.Gate{Source: source, Handler: handler, Recorder: records, Taps: []gate.Tap{tap}}
			served := make(chan error, 1)
			go func() { served <- g.Serve(context.Background()) }()
			got := fake.Call("openat")
			fake.End()
			if err := <-served; err != nil {
				t.Errorf("Serve() = %v", err)
			}
			if got.Errno != c.seen.Errno {
				t.Errorf("the task saw %+v; want %v", got, c.seen.Errno)
			}
			for name, pair := range map[string][2][]event.Event{"record": {{c.record}, records.events}, "tap": {{c.seen}, tap.events}} {
				if diff := cmp.Diff(pair[0], pair[1], cmpopts.IgnoreFields(event.Event{}, "Task", "Call")); diff != "" {
					t.Errorf("the %s (-want +got):\n%s", name, diff)
				}
			}
			if _, err := file.Stat(); c.record.Outcome == event.Given && !errors.Is(err, os.ErrClosed) {
				t.Errorf("Stat() = %v; want that the file to give is closed", err)
			}
			if records.events[0].Task.Program == "" {
				t.Error("the record does not name the task's program")
			}
		})
	}
}

// The context's end reaches a handler that holds a trap, and its task is
// answered.
func TestTheEndReachesHeldTraps(t *testing.T) {
	source := gatetest.NewSource()
	ctx, cancel := context.WithCancel(context.Background())
	handler := func(ctx context.Context, trap *gate.Trap) gate.Verdict {
		trap.Hold()
		cancel()
		<-ctx.Done()
		return gate.Fail(ctx.Err())
	}
	g := gate.Gate{Source: source, Handler: gate.HandlerFunc(handler), Limit: 1}
	saw := make(chan gatetest.Result, 1)
	go func() { saw <- source.Call("openat") }()
	if err := g.Serve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve() = %v; want the context's error", err)
	}
	if got := <-saw; got.Errno == 0 {
		t.Errorf("the task saw %+v; want an error", got)
	}
}

// broken is a Source that fails.
type broken struct{ gate.Source }

func (broken) Next(context.Context) (*gate.Trap, error) { return nil, errors.ErrUnsupported }

func TestServeReturnsTheSourcesError(t *testing.T) {
	g := gate.Gate{Source: broken{}, Receivers: 3}
	if err := g.Serve(context.Background()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Serve() = %v; want the source's error", err)
	}
}

func TestMux(t *testing.T) {
	answer := func(value int64) gate.Handler {
		return gate.HandlerFunc(func(context.Context, *gate.Trap) gate.Verdict { return gate.Return(value) })
	}
	mux := &gate.Mux{}
	mux.Route("openat", answer(1))
	mux.Route("mkdirat", answer(2))
	mux.Route("open", answer(3)) // arm64 has none
	serve(t, gate.Gate{Handler: mux}, func(s *gatetest.Source) {
		for call, want := range map[string]gatetest.Result{"openat": {Value: 1}, "mkdirat": {Value: 2}, "getppid": {Errno: abi.ENOSYS}} {
			if got := s.Call(call); got != want {
				t.Errorf("%s: the task saw %+v; want %+v", call, got, want)
			}
		}
	})
	mux.Otherwise = answer(9)
	if got := mux.Handle(context.Background(), &gate.Trap{Call: abi.Call{Arch: abi.AMD64, Nr: 100000}}); got.Value() != 9 {
		t.Errorf("a call that nobody knows: %+v; want 9", got)
	}
	if got, want := mux.Calls(abi.AMD64), []abi.Sysno{2, 257, 258}; !cmp.Equal(got, want) {
		t.Errorf("Calls(amd64) = %v; want %v", got, want)
	}
	if got, want := mux.Calls(abi.ARM64), []abi.Sysno{34, 56}; !cmp.Equal(got, want) {
		t.Errorf("Calls(arm64) = %v; want %v", got, want)
	}
	for _, name := range []string{"opneat", "openat"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Route(%q) did not panic", name)
				}
			}()
			mux.Route(name, answer(1))
		}()
	}
}

// A trap copies an argument once: what the task writes later is not seen.
func TestTrapCopiesOnce(t *testing.T) {
	handler := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		if text, err := trap.Path(1); text != "before" || err != nil {
			t.Errorf("Path(1) = %q, %v; want before", text, err)
		}
		if err := trap.Write(trap.Args[1], []byte("behind")); err != nil {
			t.Errorf("Write() = %v", err)
		}
		if text, err := trap.Path(1); text != "before" || err != nil {
			t.Errorf("Path(1) again = %q, %v; want before", text, err)
		}
		part, err := trap.Bytes(1, 3)
		if string(part) != "bef" || err != nil {
			t.Errorf("Bytes(1, 3) = %q, %v; want bef", part, err)
		}
		part[0] = 'x' // a copy of its own
		if whole, err := trap.Bytes(1, 6); string(whole) != "before" || err != nil {
			t.Errorf("Bytes(1, 6) = %q, %v; want before", whole, err)
		}
		if _, err := trap.Bytes(1, 7); !errors.Is(err, abi.EINVAL) {
			t.Errorf("Bytes(1, 7) = %v; want EINVAL: 6 bytes were copied", err)
		}
		return gate.Return(0)
	}
	serve(t, gate.Gate{Handler: gate.HandlerFunc(handler)}, func(s *gatetest.Source) {
		s.Call("openat", 0, s.Put([]byte("before\x00")))
	})
}

func TestTrapErrorsNameTheArgument(t *testing.T) {
	trap := &gate.Trap{Call: abi.Call{Arch: abi.AMD64, Nr: 257}}
	_, err := trap.Path(1)
	if want := "read argument 1 (filename) of openat at 0x0: bad address"; err == nil || err.Error() != want {
		t.Errorf("Path(1) = %v; want %s", err, want)
	}
}

func TestRefusal(t *testing.T) {
	refusal := &gate.Refusal{Errno: abi.EACCES, Why: event.Why{Text: "no rule allows it", Rule: "mail.yaml:3"}}
	if got, want := refusal.Error(), "no rule allows it (mail.yaml:3)"; got != want {
		t.Errorf("Error() = %q; want %q", got, want)
	}
	if got, want := (&gate.Refusal{Errno: abi.EACCES}).Error(), "permission denied"; got != want {
		t.Errorf("Error() = %q; want %q", got, want)
	}
	if got := gate.Fail(fmt.Errorf("open: %w", refusal)).Errno(); got != abi.EACCES {
		t.Errorf("Errno() = %v; want EACCES", got)
	}
}
