package guard

import (
	"context"
	"sync"
)

// desk is where the questions of an Ask wait, and where answers for the whole run
// are kept. The zero desk is ready.
type desk struct {
	mutex   sync.Mutex
	turns   chan struct{}
	settled map[string]Answer // by the change that a question is about
	open    map[kind]*question
	asked   int
	closed  bool // nobody is asked any more
}

// The bounds of what is asked. More is refused without a question.
const (
	maxOpen  = 16  // questions that wait at once
	maxAsked = 200 // questions in a run
)

// question is one that is not answered yet. Calls that look the same share it.
type question struct {
	kind     kind
	change   string
	ctx      context.Context
	withdraw context.CancelFunc
	answer   Answer
	answered chan struct{}
	waiting  int // calls that wait for it
}

// known returns an answer that needs no question.
func (d *desk) known(change string) (Answer, bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	answer, ok := d.settled[change]
	return answer, ok || d.closed
}

// join returns the question about a call, and whether it is a new one; nil where
// there are too many. Full says that this was the last.
func (d *desk) join(ctx context.Context, k kind, change string) (q *question, first, full bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if q = d.open[k]; q == nil {
		if d.closed || len(d.open) >= maxOpen || d.asked >= maxAsked {
			return nil, false, !d.closed && d.asked >= maxAsked
		}
		if d.open == nil {
			d.open, d.settled = map[kind]*question{}, map[string]Answer{}
		}
		d.asked++
		q, first = &question{kind: k, change: change, answered: make(chan struct{})}, true
		q.ctx, q.withdraw = context.WithCancel(ctx)
		d.open[k] = q
	}
	q.waiting++
	return q, first, false
}

// turn waits until the question may be put, beside at most so many others. It is
// false where the question was settled meanwhile.
func (d *desk) turn(q *question, at int) (leave func(), ok bool) {
	d.mutex.Lock()
	if d.turns == nil {
		d.turns = make(chan struct{}, at)
	}
	turns := d.turns
	d.mutex.Unlock()
	select {
	case turns <- struct{}{}:
	case <-q.ctx.Done():
		d.settle(q, No, false)
		return nil, false
	}
	if answer, ok := d.known(q.change); ok || q.ctx.Err() != nil {
		d.settle(q, answer, false)
		<-turns
		return nil, false
	}
	return func() { <-turns }, true
}

// leave withdraws a question that nobody waits for.
func (d *desk) leave(q *question) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if q.waiting--; q.waiting == 0 {
		q.withdraw()
		d.remove(q)
	}
}

// settle answers all that wait for a question, and for good what would be asked
// about the same change.
func (d *desk) settle(q *question, answer Answer, forGood bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	q.answer = answer
	close(q.answered)
	if forGood {
		d.settled[q.change] = answer
	}
	d.remove(q)
}

// remove needs the lock.
func (d *desk) remove(q *question) {
	if d.open[q.kind] == q {
		delete(d.open, q.kind)
	}
}

// withdraw ends all questions.
func (d *desk) withdraw() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, q := range d.open {
		q.withdraw()
	}
}

// close takes no more questions, and reports whether it did before.
func (d *desk) close() (first bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	first = !d.closed
	d.closed = true
	return first
}
