// Package audit keeps what the gate decided in a file: one line of JSON a
// decision, each appended by one write(2), so that many programs share a file
// and none breaks another's line.
//
//	log, err := audit.Open("audit.jsonl", audit.Refuse)
//	g := &gate.Gate{Source: listener, Handler: handler, Recorder: log}
//
// A line is an event's JSON, with its time first; docs/audit.md is its schema.
package audit

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
)

// Failure says what becomes of a call that can't be recorded.
type Failure uint8

// The failures.
const (
	Refuse   Failure = iota // it is refused
	Continue                // it goes on, and is counted as lost
)

// ParseFailure reads "refuse" or "continue".
func ParseFailure(word string) (Failure, bool) {
	switch word {
	case "refuse":
		return Refuse, true
	case "continue":
		return Continue, true
	}
	return Refuse, false
}

// Log appends decisions to a file. It follows the path: where the file was
// renamed or removed, it makes a new one. It is a gate.Recorder.
type Log struct {
	failure Failure
	now     func() time.Time

	mutex  sync.Mutex
	file   *file
	lost   int
	reason error // why the first was lost
}

var _ gate.Recorder = (*Log)(nil)

// Open makes the file, for its owner alone (mode 0600), or appends to the one
// that is there. It may also be a FIFO that somebody reads, or a device; what
// such a file can't take at once is lost. Errors are *fs.PathError.
func Open(path string, failure Failure) (*Log, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &Log{failure: failure, now: time.Now, file: f}, nil
}

// Record appends one line. When it returns nil, and the Failure is Refuse, the
// kernel has the whole line: it is there even if this process is killed, but not
// if the machine loses power. The error names the file; the Failure Continue
// returns none.
func (l *Log) Record(e event.Event) error {
	e.Time = l.now().UTC()
	line, err := lineOf(e)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err == nil {
		err = l.append(line)
	}
	if err == nil {
		return nil
	}
	if l.lost++; l.reason == nil {
		l.reason = err
	}
	if l.failure == Continue {
		return nil
	}
	return err
}

// append writes to the file that stands at the path now.
func (l *Log) append(line []byte) error {
	if !l.file.stands() {
		next, err := openFile(l.file.path)
		if err != nil {
			return fmt.Errorf("follow the audit log: %w", err)
		}
		l.file.close()
		l.file = next
	}
	return l.file.append(line)
}

// Lost returns how many decisions could not be recorded, and why the first could
// not.
func (l *Log) Lost() (count int, reason error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.lost, l.reason
}

// Close closes the file. Later records are lost.
func (l *Log) Close() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.file.close()
}
