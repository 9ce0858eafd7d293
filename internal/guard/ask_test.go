package guard

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
)

// person is an Asker whose questions the test answers.
type person struct {
	questions chan Question
	answers   chan func() (Answer, error)
	withdrawn chan Question
}

func newPerson() *person {
	return &person{make(chan Question, 100), make(chan func() (Answer, error)), make(chan Question, 100)}
}

func (p *person) Ask(ctx context.Context, q Question) (Answer, error) {
	p.questions <- q
	select {
	case answer := <-p.answers:
		return answer()
	case <-ctx.Done():
		p.withdrawn <- q
		return No, nil
	}
}

func (p *person) says(a Answer) { p.answers <- func() (Answer, error) { return a, nil } }

// refuser refuses every call for the change that its first argument names.
func refuser(_ context.Context, t *gate.Trap) gate.Verdict {
	row, _ := t.Syscall()
	r := &gate.Refusal{Errno: abi.EPERM, Why: event.Why{Text: "no", Cure: fmt.Sprintf("%s %d", row.Name, t.Args[0])}, Lift: proceed}
	switch row.Name {
	case "clone3":
		r.Errno = abi.ENOSYS
	case "openat":
		r.Lift = nil
		return gate.Expect(r)
	case "mount":
		r.Cure = ""
	}
	return gate.Fail(r)
}

// asking serves an Ask until do returns.
func asking(t *testing.T, a *Ask, do func(*gatetest.Source)) (told []error) {
	t.Helper()
	var mutex sync.Mutex
	a.Handler = gate.HandlerFunc(refuser)
	a.Tell = func(err error) {
		mutex.Lock()
		defer mutex.Unlock()
		told = append(told, err)
	}
	source := gatetest.NewSource()
	g := gate.Gate{Source: source, Handler: a, Limit: 1000}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	do(source)
	source.End()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v", err)
	}
	return told
}

// later makes a call that waits.
func later(s *gatetest.Source, name string, args ...uint64) <-chan abi.Errno {
	saw := make(chan abi.Errno, 1)
	go func() { saw <- s.Call(name, args...).Errno }()
	return saw
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		answer Answer
		first  abi.Errno // what the call sees
		again  bool      // whether it is asked about again
		second abi.Errno
		saved  int
		quit   int
	}{
		{No, abi.EPERM, true, abi.EPERM, 0, 0},
		{Once, 0, true, 0, 0, 0},
		{Always, 0, false, 0, 1, 0},
		{Never, abi.EPERM, false, abi.EPERM, 0, 0},
		{Quit, abi.EPERM, false, abi.EPERM, 0, 1},
	} {
		p, saved, quit := newPerson(), 0, 0
		a := &Ask{Asker: p, Save: func(event.Why) error { saved++; return nil }, Quit: func() { quit++ }}
		asking(t, a, func(s *gatetest.Source) {
			first := later(s, "kill", 1)
			if q := <-p.questions; !q.Lifts || !q.Saves || q.Errno != abi.EPERM || q.Task.Program != "task" {
				t.Errorf("%v: asked %+v", c.answer, q)
			}
			p.says(c.answer)
			if got := <-first; got != c.first {
				t.Errorf("%v: the call saw %v; want %v", c.answer, got, c.first)
			}
			second := later(s, "kill", 1)
			if c.again {
				<-p.questions
				p.says(c.answer)
			}
			if got := <-second; got != c.second {
				t.Errorf("%v: the second call saw %v; want %v", c.answer, got, c.second)
			}
		})
		if saved != c.saved || quit != c.quit || len(p.questions) > 0 {
			t.Errorf("%v: saved %d times, quit %d times, %d more questions; want %d, %d, 0", c.answer, saved, quit, len(p.questions), c.saved, c.quit)
		}
	}
}

// What is meant to seem missing is not asked about, nor what no answer helps; what
// another wall holds is asked about only to be saved.
func TestWhatIsAsked(t *testing.T) {
	p := newPerson()
	asking(t, &Ask{Asker: p}, func(s *gatetest.Source) {
		if got := s.Call("clone3").Errno; got != abi.ENOSYS {
			t.Errorf("clone3 saw %v", got)
		}
		s.Call("openat")
		saw := later(s, "mount", 1)
		if q := <-p.questions; q.Saves || !q.Lifts {
			t.Errorf("a call that no policy would allow: %+v", q)
		}
		p.says(Always)
		if got := <-saw; got != 0 {
			t.Errorf("mount saw %v", got)
		}
		if got := s.Call("mount", 1).Errno; got != 0 {
			t.Errorf("mount saw %v the second time", got)
		}
	})
	if len(p.questions) > 0 {
		t.Errorf("asked %+v", <-p.questions)
	}
	saved := ""
	save := func(why event.Why) error { saved = why.Cure; return nil }
	asking(t, &Ask{Asker: p, Save: save}, func(s *gatetest.Source) {
		saw := later(s, "openat", 7)
		if q := <-p.questions; q.Lifts || !q.Saves {
			t.Errorf("a call that a wall in the kernel refuses: %+v", q)
		}
		p.says(Always)
		<-saw
	})
	if saved != "openat 7" {
		t.Errorf("saved %q", saved)
	}
}

// Calls that look the same share a question; others don't, unless an answer for
// good covers them.
func TestSharedQuestions(t *testing.T) {
	p := newPerson()
	asking(t, &Ask{Asker: p}, func(s *gatetest.Source) {
		same := []<-chan abi.Errno{later(s, "kill", 1, 2), later(s, "kill", 1, 2), later(s, "kill", 1, 2)}
		<-p.questions
		p.says(Always)
		for _, saw := range same {
			if got := <-saw; got != 0 {
				t.Errorf("one of the same saw %v", got)
			}
		}
		if got := s.Call("kill", 1, 9).Errno; got != 0 { // another call, the same change
			t.Errorf("what an answer for good covers saw %v", got)
		}
		other := later(s, "kill", 2, 2)
		<-p.questions
		p.says(No)
		if got := <-other; got != abi.EPERM {
			t.Errorf("another saw %v", got)
		}
	})
}

// Only At questions are put at a time. The others wait, for as long as they may.
func TestTurns(t *testing.T) {
	p := newPerson()
	a := &Ask{Asker: p, At: 1}
	waiting := func() int {
		a.desk.mutex.Lock()
		defer a.desk.mutex.Unlock()
		return len(a.desk.open)
	}
	asking(t, a, func(s *gatetest.Source) {
		var saw []<-chan abi.Errno
		for i := range uint64(maxOpen) {
			saw = append(saw, later(s, "kill", i))
		}
		for waiting() < maxOpen {
			runtime.Gosched()
		}
		if got := s.Call("kill", 100).Errno; got != abi.EPERM {
			t.Errorf("a call too many saw %v", got)
		}
		for range maxOpen {
			<-p.questions
			if len(p.questions) > 0 {
				t.Error("two questions at a time")
			}
			p.says(Once)
		}
		for _, one := range saw {
			<-one
		}
	})
}

func TestBoundOfQuestions(t *testing.T) {
	p := newPerson()
	told := asking(t, &Ask{Asker: p}, func(s *gatetest.Source) {
		for i := range uint64(maxAsked) {
			saw := later(s, "kill", i)
			<-p.questions
			p.says(Once)
			<-saw
		}
		if got := s.Call("kill", 1000).Errno; got != abi.EPERM {
			t.Errorf("a call past the bound saw %v", got)
		}
	})
	if len(told) != 1 || len(p.questions) != 0 {
		t.Errorf("told %v, %d more questions; want one word and none", told, len(p.questions))
	}
}

// A question that nobody answers in time is answered by no, for good.
func TestTimeout(t *testing.T) {
	p, over := newPerson(), make(chan time.Time)
	a := &Ask{Asker: p, Timeout: time.Minute, After: func(d time.Duration) <-chan time.Time {
		if d != time.Minute {
			t.Errorf("waits %v", d)
		}
		return over
	}}
	asking(t, a, func(s *gatetest.Source) {
		saw := later(s, "kill", 1)
		<-p.questions
		over <- time.Time{}
		if got := <-saw; got != abi.EPERM {
			t.Errorf("the call saw %v", got)
		}
		<-p.withdrawn
		if got := s.Call("kill", 1).Errno; got != abi.EPERM || len(p.questions) > 0 {
			t.Errorf("the second call saw %v, with %d questions", got, len(p.questions))
		}
	})
}

// The question of a task that left is withdrawn, and its place is free.
func TestTaskLeaves(t *testing.T) {
	p := newPerson()
	asking(t, &Ask{Asker: p, At: 1}, func(s *gatetest.Source) {
		leave := make(chan struct{})
		go s.Leave("kill", leave, 1)
		<-p.questions
		close(leave)
		<-p.withdrawn
		saw := later(s, "kill", 2)
		<-p.questions
		p.says(Once)
		if got := <-saw; got != 0 {
			t.Errorf("the next call saw %v", got)
		}
	})
}

// Withdraw, as for a signal, refuses what is asked; the next is asked again.
func TestWithdraw(t *testing.T) {
	p := newPerson()
	a := &Ask{Asker: p}
	asking(t, a, func(s *gatetest.Source) {
		for range 2 {
			saw := later(s, "kill", 1)
			<-p.questions
			a.Withdraw()
			if got := <-saw; got != abi.EPERM {
				t.Errorf("the call saw %v", got)
			}
		}
	})
}

// Whoever can't be asked any more, or panics, refuses: and is told of once.
func TestNobodyToAsk(t *testing.T) {
	for name, reply := range map[string]func() (Answer, error){
		"an error": func() (Answer, error) { return Once, errors.New("hung up") },
		"a panic":  func() (Answer, error) { panic("a mistake") },
	} {
		p := newPerson()
		told := asking(t, &Ask{Asker: p}, func(s *gatetest.Source) {
			saw := later(s, "kill", 1)
			<-p.questions
			p.answers <- reply
			if got := <-saw; got != abi.EPERM {
				t.Errorf("%s: the call saw %v", name, got)
			}
			if got := s.Call("kill", 2).Errno; got != abi.EPERM {
				t.Errorf("%s: the next call saw %v", name, got)
			}
		})
		if len(told) != 1 || len(p.questions) > 0 {
			t.Errorf("%s: told %v, %d more questions", name, told, len(p.questions))
		}
	}
}

// Questions about files are about those, whatever call it was and by what text it
// named the file; and what a refusal holds is given up, asked or not.
func TestFileQuestions(t *testing.T) {
	person := newPerson()
	var lifted, forGood, released atomic.Int64
	wants := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		file := []gate.File{{Path: "/a", Access: "read"}, {Path: "/b", Access: "read"}, {Path: "/a", Access: "write"}}[trap.Args[1]]
		return gate.Fail(&gate.Refusal{
			Errno: abi.ENOENT, Why: event.Why{Text: "no", Cure: "the same"}, File: &file,
			Lift: func(good bool) gate.Verdict {
				lifted.Add(1)
				if good {
					forGood.Add(1)
				}
				return gate.Return(0)
			},
			Release: func() { released.Add(1) },
		})
	}
	a := &Ask{Asker: person, At: 10}
	asking(t, a, func(s *gatetest.Source) {
		a.Handler = gate.HandlerFunc(wants)
		one := later(s, "mkdir", 0, 0)
		if q := <-person.questions; q.File.Path != "/a" || !q.Lifts {
			t.Errorf("asked %+v", q)
		}
		two := later(s, "mkdir", 0, 1) // looks the same, and is about another file
		if q := <-person.questions; q.File.Path != "/b" {
			t.Errorf("asked %+v", q)
		}
		person.says(Always)
		person.says(Always)
		if first, second := <-one, <-two; first != 0 || second != 0 {
			t.Errorf("saw %v, %v", first, second)
		}
		if again := <-later(s, "rmdir", 7, 0); again != 0 { // another call about the same
			t.Errorf("saw %v", again)
		}
		more := later(s, "mkdir", 0, 2)
		<-person.questions
		person.says(Never)
		if saw := <-more; saw != abi.ENOENT {
			t.Errorf("saw %v", saw)
		}
		if again := <-later(s, "rmdir", 0, 2); again != abi.ENOENT {
			t.Errorf("saw %v", again)
		}
	})
	if lifted.Load() != 3 || forGood.Load() != 3 || released.Load() != 5 {
		t.Errorf("%d lifted, %d for good, %d given up; want 3, 3, 5", lifted.Load(), forGood.Load(), released.Load())
	}
}
