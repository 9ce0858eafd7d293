package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callgate/callgate/abi"
)

// line is an event's JSON. Registers are hexadecimal texts: JavaScript and many
// other readers of JSON would round them as numbers.
type line struct {
	Time      *time.Time `json:"time,omitempty"`
	PID       int        `json:"pid,omitempty"`
	TID       int        `json:"tid"`
	Program   string     `json:"program,omitempty"`
	Arch      string     `json:"arch"`
	Call      string     `json:"call,omitempty"` // its name, for people: nr decides
	Nr        uint32     `json:"nr"`
	Registers []string   `json:"registers"`
	Memory    []copied   `json:"memory,omitempty"`
	Outcome   string     `json:"outcome"`
	Errno     string     `json:"errno,omitempty"`
	Result    *int64     `json:"result,omitempty"`
	Advisory  bool       `json:"advisory,omitempty"`
	Why       string     `json:"why,omitempty"`
	Rule      string     `json:"rule,omitempty"`
	Wall      string     `json:"wall,omitempty"`
	Cure      string     `json:"cure,omitempty"`
}

// copied is a Memory's JSON: as text where it is one, else in base64.
type copied struct {
	Arg   int     `json:"arg"`
	Text  *string `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
	Size  int     `json:"size,omitempty"`
}

// MarshalJSON writes the event as one line.
func (e Event) MarshalJSON() ([]byte, error) {
	l := line{
		PID: e.Task.PID, TID: e.Task.TID, Program: e.Task.Program,
		Arch: e.Call.Arch.String(), Nr: uint32(e.Call.Nr),
		Outcome: e.Outcome.String(), Advisory: e.Advisory,
		Why: e.Why.Text, Rule: e.Why.Rule, Wall: e.Why.Wall, Cure: e.Why.Cure,
	}
	if !e.Time.IsZero() {
		l.Time = &e.Time
	}
	if row, ok := e.Call.Syscall(); ok {
		l.Call = row.Name
	}
	for _, register := range e.Call.Args {
		l.Registers = append(l.Registers, "0x"+strconv.FormatUint(register, 16))
	}
	for _, m := range e.Memory {
		c := copied{Arg: m.Arg, Bytes: m.Bytes, Size: m.Size}
		if utf8.Valid(m.Bytes) {
			text := string(m.Bytes)
			c = copied{Arg: m.Arg, Text: &text, Size: m.Size}
		}
		l.Memory = append(l.Memory, c)
	}
	switch e.Outcome {
	case Refused:
		l.Errno = e.Errno.Name()
	case Allowed:
		if e.Errno != 0 {
			l.Errno = e.Errno.Name()
		}
	case Emulated:
		l.Result = &e.Result
	case Given:
		if e.Result >= 0 {
			l.Result = &e.Result
		}
	}
	return json.Marshal(l)
}

// UnmarshalJSON reads what MarshalJSON wrote. Further members are left alone: a
// later callgate may write them.
func (e *Event) UnmarshalJSON(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	parsed := Event{
		Task:     Task{PID: l.PID, TID: l.TID, Program: l.Program},
		Advisory: l.Advisory,
		Why:      Why{Text: l.Why, Rule: l.Rule, Wall: l.Wall, Cure: l.Cure},
	}
	if l.Time != nil {
		parsed.Time = *l.Time
	}
	var ok bool
	if parsed.Call.Arch, ok = abi.ParseArch(l.Arch); !ok {
		return fmt.Errorf("read an event: %q is no architecture", l.Arch)
	}
	parsed.Call.Nr = abi.Sysno(l.Nr)
	if parsed.Outcome, ok = ParseOutcome(l.Outcome); !ok {
		return fmt.Errorf("read an event: %q is no outcome", l.Outcome)
	}
	if err := l.fillCall(&parsed.Call); err != nil {
		return err
	}
	for _, m := range l.Memory {
		if m.Arg < 0 || m.Arg >= len(parsed.Call.Args) {
			return fmt.Errorf("read an event: memory of argument %d: a call has arguments 0 to 5", m.Arg)
		}
		if m.Text != nil {
			m.Bytes = []byte(*m.Text)
		}
		if m.Size != 0 && m.Size <= len(m.Bytes) {
			return fmt.Errorf("read an event: memory of argument %d: the first %d bytes of %d", m.Arg, len(m.Bytes), m.Size)
		}
		parsed.Memory = append(parsed.Memory, Memory{Arg: m.Arg, Bytes: m.Bytes, Size: m.Size})
	}
	if err := l.fillResult(&parsed); err != nil {
		return err
	}
	*e = parsed
	return nil
}

func (l *line) fillCall(call *abi.Call) error {
	if len(l.Registers) != len(call.Args) {
		return fmt.Errorf("read an event: %d registers: a call has %d", len(l.Registers), len(call.Args))
	}
	for i, text := range l.Registers {
		value, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			return fmt.Errorf("read an event: register %d: %w", i, err)
		}
		call.Args[i] = value
	}
	return nil
}

func (l *line) fillResult(e *Event) error {
	switch e.Outcome {
	case Allowed, Refused:
		if e.Outcome == Allowed && l.Errno == "" {
			break
		}
		errno, ok := parseErrno(l.Errno)
		if !ok {
			return fmt.Errorf("read an event: %q is no errno", l.Errno)
		}
		e.Errno = errno
	case Emulated, Given:
		switch {
		case l.Result != nil:
			e.Result = *l.Result
		case e.Outcome == Given:
			e.Result = -1
		default:
			return fmt.Errorf("read an event: a call that was %s has no result", e.Outcome)
		}
	}
	return nil
}

// parseErrno reads what Errno.Name wrote, which is a number where there is no
// name.
func parseErrno(text string) (abi.Errno, bool) {
	digits, nameless := strings.CutPrefix(text, "errno ")
	if !nameless {
		return abi.ParseErrno(text)
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	return abi.Errno(number), err == nil
}
