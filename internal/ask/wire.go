package ask

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/guard"
)

// Wire asks a program: questions and answers are lines of JSON, each with the
// question's number. A line that is none, an answer that no question has, and the
// end of the stream end all asking.
type Wire struct {
	File string // which Always is saved to, or ""

	peer    io.ReadWriter
	begin   sync.Once
	writing sync.Mutex
	mutex   sync.Mutex
	last    int // question's number
	waiting map[int]waiting
	failed  error
}

type waiting struct {
	question guard.Question
	answer   chan guard.Answer // closed without one when the wire failed
}

// NewWire asks over a stream of bytes, which must carry both ways.
func NewWire(peer io.ReadWriter, file string) *Wire {
	return &Wire{peer: peer, File: file, waiting: map[int]waiting{}}
}

// outgoing is a question's line; or, with Withdrawn, the end of one that nobody
// waits for any more.
type outgoing struct {
	ID        int          `json:"id"`
	Withdrawn bool         `json:"withdrawn,omitempty"`
	Question  string       `json:"question,omitempty"` // for people, in ASCII
	Answers   []string     `json:"answers,omitempty"`
	Saves     string       `json:"saves,omitempty"` // the file that "always" adds the cure to
	File      *file        `json:"file,omitempty"`
	Event     *event.Event `json:"event,omitempty"`
}

// file is what is asked about, where that is a file.
type file struct {
	Path   string `json:"path"` // real, links followed
	Access string `json:"access"`
	Hidden string `json:"hidden,omitempty"` // the line of the policy that hides it
}

type incoming struct {
	ID     int    `json:"id"`
	Answer string `json:"answer"`
}

// maxLine bounds an answer's line, in bytes.
const maxLine = 4096

// Ask is guard.Asker's.
func (w *Wire) Ask(ctx context.Context, q guard.Question) (guard.Answer, error) {
	w.begin.Do(func() { go w.read() })
	id, answer, err := w.register(q)
	if err != nil {
		return guard.No, err
	}
	out := outgoing{ID: id, Question: Text(q), Event: &q.Event}
	for _, choice := range choices(q) {
		out.Answers = append(out.Answers, choice.String())
	}
	if q.Saves {
		out.Saves = w.File
	}
	if q.File != nil {
		out.File = (*file)(q.File)
	}
	sent := w.send(nil, out)
	select {
	case a, ok := <-answer:
		if !ok {
			return guard.No, w.failure()
		}
		return a, nil
	case <-ctx.Done():
		w.forget(id)
		w.send(sent, outgoing{ID: id, Withdrawn: true})
		return guard.No, nil
	}
}

func (w *Wire) register(q guard.Question) (int, <-chan guard.Answer, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.failed != nil {
		return 0, nil, w.failed
	}
	w.last++
	answer := make(chan guard.Answer, 1)
	w.waiting[w.last] = waiting{q, answer}
	return w.last, answer, nil
}

func (w *Wire) forget(id int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	delete(w.waiting, id)
}

func (w *Wire) failure() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.failed
}

// fail ends all asking.
func (w *Wire) fail(err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.failed == nil {
		w.failed = err
	}
	for id, one := range w.waiting {
		close(one.answer)
		delete(w.waiting, id)
	}
}

// send writes a line once another was sent, and keeps nobody waiting for a peer
// that doesn't read: no question outlasts its time for that. What waits so is
// bounded by the questions of a run.
func (w *Wire) send(after <-chan struct{}, out outgoing) (sent <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if after != nil {
			<-after
		}
		if err := w.write(out); err != nil {
			w.fail(err)
		}
	}()
	return done
}

func (w *Wire) write(out outgoing) error {
	line, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	_, err = w.peer.Write(append(line, '\n'))
	return err
}

// read takes answers until the wire fails.
func (w *Wire) read() {
	lines := bufio.NewScanner(w.peer)
	lines.Buffer(make([]byte, 512), maxLine)
	for lines.Scan() {
		if err := w.take(lines.Bytes()); err != nil {
			w.fail(err)
			return
		}
	}
	err := lines.Err()
	if err == nil {
		err = errors.New("whoever answered closed the connection")
	}
	w.fail(err)
}

// take gives an answer to whoever waits for it. One that comes too late is no
// mistake: the question was withdrawn meanwhile.
func (w *Wire) take(line []byte) error {
	var in incoming
	if err := json.Unmarshal(line, &in); err != nil {
		return fmt.Errorf("an answer is no line of JSON: %w", err)
	}
	answer, known := guard.ParseAnswer(in.Answer)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	one, waits := w.waiting[in.ID]
	switch {
	case in.ID < 1 || in.ID > w.last:
		return fmt.Errorf("an answer to question %d, which was not asked", in.ID)
	case !known:
		return fmt.Errorf("an answer to question %d that is none: %q", in.ID, in.Answer)
	case waits && answer == guard.Once && !one.question.Lifts:
		return fmt.Errorf("an answer to question %d that it does not have: %q", in.ID, in.Answer)
	case waits:
		one.answer <- answer
		delete(w.waiting, in.ID)
	}
	return nil
}
