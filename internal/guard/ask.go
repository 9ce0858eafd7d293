package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
)

// Asker puts a question to a person, or to a program of theirs. Ask returns what
// was answered, and No with an error where nobody can be asked any more. It is to
// return soon after the context's end: the question is withdrawn then.
type Asker interface {
	Ask(context.Context, Question) (Answer, error)
}

// Question is about a call that is going to be refused: Why says why.
type Question struct {
	event.Event
	File  *gate.File // what the question is about, where that is a file; else nil
	Lifts bool       // the call can be allowed; else only what is kept for another run helps
	Saves bool       // Always keeps the cure for other runs
}

// Answer is what becomes of a call that was asked about. The zero Answer refuses.
type Answer uint8

// The answers.
const (
	No     Answer = iota // refuse this call
	Once                 // allow this call
	Always               // allow it, and all that its cure allows, in this run and, where it is kept, in others
	Never                // refuse it, and all that its cure would allow, in this run
	Quit                 // refuse it, and end the run
)

var answers = [...]string{No: "no", Once: "once", Always: "always", Never: "never", Quit: "quit"}

// String is the answer in a word.
func (a Answer) String() string { return answers[a] }

// ParseAnswer reads an answer's word.
func ParseAnswer(word string) (Answer, bool) {
	for a, text := range answers {
		if text == word {
			return Answer(a), true
		}
	}
	return No, false
}

// Ask is a Handler that has somebody decide about what another refuses. Calls that
// are to seem missing (ENOSYS) are not asked about: programs do without them.
//
// A call that the filter refused runs, once it is allowed, as its registers are,
// which the task can't change; what its pointers lead to can be something else by
// then. A file that was asked about is found once, before the question.
type Ask struct {
	Handler gate.Handler
	Asker   Asker
	Save    func(event.Why) error // keeps a cure for other runs; nil keeps none
	Quit    func()                // ends the run; called once
	Tell    func(error)           // is told why nobody is asked any more, and what could not be saved
	Timeout time.Duration         // how long a question waits, from when it is put; 0 for ever
	At      int                   // how many questions are put at a time, 1 or more
	After   func(time.Duration) <-chan time.Time

	desk desk
}

// watch is how often it is looked whether a task still waits.
const watch = 100 * time.Millisecond

// Handle is gate.Handler's.
func (a *Ask) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	verdict := a.Handler.Handle(ctx, t)
	refusal, ok := errors.AsType[*gate.Refusal](verdict.Err())
	if ok && refusal.Release != nil {
		defer refusal.Release()
	}
	if !ok || refusal.Errno == abi.ENOSYS || refusal.Lift == nil && (a.Save == nil || refusal.Cure == "") {
		return verdict
	}
	answer := a.ask(ctx, t, verdict, refusal)
	if refusal.Lift == nil || answer != Once && answer != Always {
		return verdict
	}
	why := refusal.Why
	why.Text = fmt.Sprintf("allowed when asked (%s): %s", answer, why.Text)
	return refusal.Lift(answer == Always).Because(why)
}

// ask returns the answer to the question about a call, which others may share.
func (a *Ask) ask(ctx context.Context, t *gate.Trap, verdict gate.Verdict, refusal *gate.Refusal) Answer {
	change := changeOf(t, verdict, refusal)
	if answer, ok := a.desk.known(change); ok || !t.Hold() {
		return answer
	}
	copyTexts(t)
	t.Identify()
	asked := Question{t.Event(verdict), refusal.File, refusal.Lift != nil, a.Save != nil && refusal.Cure != ""}
	alike := kindOf(asked.Event)
	if refusal.File != nil {
		alike.memory += change // one text may lead to many files
	}
	q, first, full := a.desk.join(ctx, alike, change)
	if full {
		a.silence(fmt.Errorf("%d questions were asked: more is refused without", maxAsked))
	}
	if q == nil {
		return No
	}
	if first {
		go a.put(q, asked)
	}
	defer a.desk.leave(q)
	ticker := time.NewTicker(watch)
	defer ticker.Stop()
	for {
		select {
		case <-q.answered:
			return q.answer
		case <-ctx.Done():
			return No
		case <-ticker.C:
			if !t.Waits() {
				return No
			}
		}
	}
}

// changeOf names the change of the policy that would allow a call. Where there is
// none it is the call itself, but for what the program can choose at will. For a
// question about a file it is that file.
func changeOf(t *gate.Trap, verdict gate.Verdict, refusal *gate.Refusal) string {
	if f := refusal.File; f != nil {
		return strings.TrimPrefix(f.Access, "look at, and ") + "\x00" + f.Path // a look is the beginning of a reading
	}
	k := kindOf(t.Event(verdict))
	if refusal.Cure == "" {
		return fmt.Sprint(k.arch, k.nr, k.args)
	}
	return fmt.Sprint(k.arch, k.nr, "\n", refusal.Cure)
}

// Withdraw refuses all that is asked now.
func (a *Ask) Withdraw() { a.desk.withdraw() }

// put asks, when it is the question's turn, and settles it.
func (a *Ask) put(q *question, asked Question) {
	leave, ok := a.desk.turn(q, max(1, a.At))
	if !ok {
		return
	}
	defer leave()
	type reply struct {
		answer Answer
		err    error
	}
	replies := make(chan reply, 1)
	go func() {
		answer, err := a.asker(q.ctx, asked)
		replies <- reply{answer, err}
	}()
	select {
	case r := <-replies:
		a.take(q, asked, r.answer, r.err)
		return
	case <-a.after():
		a.desk.settle(q, No, true) // whoever is away would be asked again and again
		q.withdraw()
	case <-q.ctx.Done():
		a.desk.settle(q, No, false)
	}
	<-replies
}

// asker takes an Asker that panics for one that can't ask.
func (a *Ask) asker(ctx context.Context, asked Question) (answer Answer, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			answer, err = No, fmt.Errorf("the asker failed: %v", reason)
		}
	}()
	return a.Asker.Ask(ctx, asked)
}

func (a *Ask) after() <-chan time.Time {
	switch {
	case a.Timeout <= 0:
		return nil
	case a.After != nil:
		return a.After(a.Timeout)
	}
	return time.After(a.Timeout)
}

// take does what was answered.
func (a *Ask) take(q *question, asked Question, answer Answer, err error) {
	switch {
	case q.ctx.Err() != nil:
		answer = No // withdrawn: whatever came was about a call that waits no more
	case err != nil:
		a.silence(err)
		answer = No
	case answer == Quit:
		a.quit(q)
	case answer == Always && asked.Saves:
		if err := a.Save(asked.Why); err != nil {
			a.tell(err)
		}
	}
	a.desk.settle(q, answer, answer == Always || answer == Never)
}

// quitting is how long a call is kept waiting while its program is ended: it has
// nothing more to do then. One that catches the signal goes on afterwards.
const quitting = 500 * time.Millisecond

func (a *Ask) quit(q *question) {
	a.desk.close()
	if a.Quit != nil {
		a.Quit()
		select {
		case <-q.ctx.Done():
		case <-time.After(quitting):
		}
	}
	a.desk.withdraw()
}

// silence has no more questions put, and refuses those that wait.
func (a *Ask) silence(why error) {
	first := a.desk.close()
	a.desk.withdraw()
	if first && why != nil {
		a.tell(why)
	}
}

func (a *Ask) tell(err error) {
	if a.Tell != nil {
		a.Tell(err)
	}
}
