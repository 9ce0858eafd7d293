// Package event is what happened at the system-call boundary, as a value: who
// made which call, what became of it, and why. An event explains itself: it
// holds the registers, copies of the memory behind them, and the reason, so that
// printing it needs neither the task nor the policy.
//
//	fmt.Println(e)     // sh[412] openat(AT_FDCWD, "/etc/shadow", O_RDONLY, 0) = -1 EACCES: /etc/shadow is hidden (preset default:46)
//	json.Marshal(e)    // one line, which json.Unmarshal reads back
package event

import (
	"time"
	"unicode/utf8"

	"github.com/callgate/callgate/abi"
)

// Event is one call and what became of it.
type Event struct {
	Time     time.Time // when it was answered; zero where nobody looked at a clock
	Task     Task
	Call     abi.Call
	Memory   []Memory // copies of what pointer arguments led to, in order of Arg
	Outcome  Outcome
	Errno    abi.Errno // what a Refused call's task saw; what an Allowed one's is expected to see, 0 if nothing is
	Result   int64     // what an Emulated or Given call's task saw; below 0 where a Given's descriptor has no number yet
	Advisory bool      // an Allowed call was judged by memory that the kernel then read again: no enforcement
	Why      Why
}

// Task is the thread that made a call.
type Task struct {
	PID     int    // its process, or 0 where that is unknown
	TID     int    // the thread's own number
	Program string // the name that the kernel has for it (comm in proc_pid_comm(5)), or ""
}

// Memory is a copy of the memory behind an argument.
type Memory struct {
	Arg   int // the argument's index, 0 to 5
	Bytes []byte
	Size  int // how many bytes were copied, where Bytes has only the first of them; else 0
}

// Cut returns the memory with at most limit bytes. Text is not cut within a
// letter.
func (m Memory) Cut(limit int) Memory {
	if len(m.Bytes) <= limit {
		return m
	}
	cut := m
	cut.Bytes = m.Bytes[:limit]
	if utf8.Valid(m.Bytes) {
		for !utf8.Valid(cut.Bytes) {
			cut.Bytes = cut.Bytes[:len(cut.Bytes)-1]
		}
	}
	cut.Size = max(m.Size, len(m.Bytes))
	return cut
}

// Why is the reason of an outcome, in words for a person. Each may be "".
type Why struct {
	Text string // "/etc/shadow is hidden"
	Rule string // where the policy says so: "mail.yaml:12"
	Wall string // what refused it: "filter", "landlock"
	Cure string // the smallest change that would allow it, as lines of a policy
}

// Outcome is what became of a call. The zero Outcome is none.
type Outcome uint8

// The outcomes.
const (
	Allowed  Outcome = iota + 1 // the kernel ran it; its result is not known here
	Refused                     // the task saw Errno
	Emulated                    // the task saw Result, and the kernel ran nothing
	Given                       // the task got a new descriptor, Result
	Gone                        // the task left its call before it was answered
)

var outcomes = [...]string{Allowed: "allowed", Refused: "refused", Emulated: "emulated", Given: "given", Gone: "gone"}

// String is the outcome in a word, or "none".
func (o Outcome) String() string {
	if int(o) < len(outcomes) && o != 0 {
		return outcomes[o]
	}
	return "none"
}

// ParseOutcome reads an outcome's word.
func ParseOutcome(word string) (Outcome, bool) {
	for o := Allowed; int(o) < len(outcomes); o++ {
		if outcomes[o] == word {
			return o, true
		}
	}
	return 0, false
}

// Bytes returns the copy of the memory behind an argument, if there is one.
func (e *Event) Bytes(arg int) ([]byte, bool) {
	m, ok := e.memory(arg)
	return m.Bytes, ok
}

func (e *Event) memory(arg int) (Memory, bool) {
	for _, m := range e.Memory {
		if m.Arg == arg {
			return m, true
		}
	}
	return Memory{}, false
}
