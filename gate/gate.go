package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// Source yields stopped calls and carries out what was decided of them. Its
// methods may be called by several goroutines at once; package gatetest has the
// tests that it must pass.
type Source interface {
	// Next waits for the next stopped call. It returns io.EOF when no task is
	// left that could make one, and the context's error once that is done.
	Next(context.Context) (*Trap, error)
	// Answer carries out a verdict, which ends the trap. It returns what the
	// task saw as the call's result: the descriptor of a Give. The error is
	// ErrGone when the task left first. A verdict that can't be carried out
	// refuses the call, and the error says why. Answer closes the file of a Give
	// in any case.
	Answer(*Trap, Verdict) (int64, error)
}

// Identifier is a Source that can tell more of a trap's task than the trap says,
// at a price that not every trap should pay.
type Identifier interface {
	// Identify returns the task, or what is known of it where that left.
	Identify(*Trap) event.Task
}

// Waiter is a Source that can tell whether a trap's task still waits for its
// answer.
type Waiter interface {
	Waits(*Trap) bool
}

// Handler decides what a stopped call becomes. It may be called by several
// goroutines at once. The context ends with the gate.
type Handler interface {
	Handle(context.Context, *Trap) Verdict
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(context.Context, *Trap) Verdict

// Handle calls the function.
func (f HandlerFunc) Handle(ctx context.Context, t *Trap) Verdict { return f(ctx, t) }

// Tap watches what passes the gate. Observe is called after the task was
// answered, by several goroutines at once, and must not wait for long: the
// receiver that calls it takes no traps meanwhile.
type Tap interface {
	Observe(event.Event)
}

// Recorder keeps what was decided. Record is called before the task is
// answered, by several goroutines at once: what it returns an error for does not
// happen. The event tells the decision; a task that leaves before its answer, or
// an answer that fails, the taps see. A Given's descriptor has no number yet.
type Recorder interface {
	Record(event.Event) error
}

// Selective is a Tap or Recorder that keeps only some events. Wants is asked before
// the task is answered. What nobody wants is shown all the same, but with no more of
// the Task than the trap says: to ask the kernel takes longer than most answers.
type Selective interface {
	Wants(event.Event) bool
}

// Gate takes traps from a Source, has the Handler decide and the taps watch.
type Gate struct {
	Source    Source
	Handler   Handler  // nil refuses everything
	Recorder  Recorder // nil keeps nothing
	Taps      []Tap
	Receivers int // how many goroutines take traps, from 1 to GOMAXPROCS: more lose Go's processors to each other
	Limit     int // how many traps handlers may hold at once, see Trap.Hold
	// Prepare, if not nil, is called by each receiver on its thread before it
	// takes traps, and may change the thread for good: it ends with the receiver.
	// An error ends Serve.
	Prepare func() error
}

// Serve answers calls until none can come any more, and returns nil then, or
// until the context ends or the Source fails, and returns that error. Traps that
// are held then are answered first: their handlers see the context's end.
//
// A receiver is locked to its thread: a wake-up that crosses threads costs more
// than deciding does.
func (g *Gate) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := server{Gate: g, ctx: ctx, cancel: cancel, free: g.Limit}
	for range max(1, min(g.Receivers, runtime.GOMAXPROCS(0))) {
		s.receive()
	}
	s.receivers.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// server is a Gate while it serves.
type server struct {
	*Gate
	ctx       context.Context
	cancel    context.CancelCauseFunc
	receivers sync.WaitGroup
	mutex     sync.Mutex
	free      int // how many more traps may be held
}

// receive starts a receiver: it takes traps until one is held, for which another
// has taken its place, or until there are no more.
func (s *server) receive() {
	s.receivers.Go(func() {
		runtime.LockOSThread()
		if s.Prepare == nil {
			defer runtime.UnlockOSThread()
		} else if err := s.Prepare(); err != nil {
			s.cancel(err)
			return
		}
		for held := false; !held; {
			trap, err := s.Source.Next(s.ctx)
			if err != nil {
				s.cancel(err)
				return
			}
			trap.server = s
			s.serve(trap)
			if held = trap.held; held {
				s.release()
			}
		}
	})
}

// hold has another receiver take the place of one that is going to wait.
func (s *server) hold() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.free <= 0 {
		return false
	}
	s.free--
	s.receive()
	return true
}

func (s *server) release() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.free++
}

// serve answers one trap, once that is recorded, and shows it to the taps.
func (s *server) serve(t *Trap) {
	verdict := s.decide(t)
	if s.interests(t, verdict) {
		t.Identify() // before it is answered, and may be gone
	}
	verdict = s.record(t, verdict)
	result, err := s.Source.Answer(t, verdict)
	if len(s.Taps) == 0 {
		return
	}
	e := eventOf(t, verdict, result, err)
	for _, tap := range s.Taps {
		tap.Observe(e)
	}
}

// interests reports whether somebody wants to know whose call this is.
func (s *server) interests(t *Trap, v Verdict) bool {
	if s.Recorder == nil && len(s.Taps) == 0 {
		return false
	}
	e := eventOf(t, v, resultOf(v), nil)
	wants := func(who any) bool {
		selective, ok := who.(Selective)
		return !ok || selective.Wants(e)
	}
	return s.Recorder != nil && wants(s.Recorder) || slices.ContainsFunc(s.Taps, func(tap Tap) bool { return wants(tap) })
}

// decide refuses where the handler panics: one bad call must neither pass nor
// stop the gate for all others.
func (s *server) decide(t *Trap) (v Verdict) {
	if s.Handler == nil {
		return Verdict{}
	}
	defer func() {
		if reason := recover(); reason != nil {
			v = Fail(fmt.Errorf("the handler failed: %v: %w", reason, abi.EIO))
		}
	}()
	return s.Handler.Handle(s.ctx, t)
}

// record refuses what can't be recorded. What is refused anyway stays as it is.
func (s *server) record(t *Trap, v Verdict) Verdict {
	if s.Recorder == nil {
		return v
	}
	err := s.Recorder.Record(eventOf(t, v, resultOf(v), nil))
	if err == nil || v.Outcome() == event.Refused {
		return v
	}
	if file, _ := v.File(); file != nil {
		file.Close()
	}
	return Fail(&Refusal{Errno: abi.EIO, Why: event.Why{Text: "record the call: " + err.Error()}})
}

// resultOf is what is known of a call's result before it is answered.
func resultOf(v Verdict) int64 {
	if v.Outcome() == event.Given {
		return -1
	}
	return v.Value()
}

// eventOf tells what became of a trap.
func eventOf(t *Trap, v Verdict, result int64, failed error) event.Event {
	e := event.Event{Task: t.Task, Call: t.Call, Memory: t.copies, Outcome: v.Outcome(), Why: v.why}
	err := v.Err()
	switch {
	case errors.Is(failed, ErrGone):
		e.Outcome = event.Gone
	case failed != nil:
		e.Outcome, err = event.Refused, failed
	}
	switch e.Outcome {
	case event.Allowed:
		e.Advisory = t.looked
		if err != nil {
			e.Errno, e.Why = v.Errno(), whyOf(err)
		}
	case event.Refused:
		e.Errno = Fail(err).Errno()
		e.Why = whyOf(err)
	case event.Emulated, event.Given:
		e.Result = result
	}
	return e
}

// whyOf takes the reason from a refusal's error.
func whyOf(err error) event.Why {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Why
	case err == nil:
		return event.Why{}
	}
	return event.Why{Text: err.Error()}
}
