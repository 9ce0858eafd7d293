package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Action is what becomes of a call. A document writes it as one word: "allow",
// "log" (allow and log), "kill" (the process), "kill-thread", "trap" (SIGSYS),
// "notify" (ask the listener), "trace" (ask the ptracer), or an errno's name
// such as "EPERM"; "trap", "trace" and "errno" take a number in parentheses, as
// in "errno(0)". The zero Action was not written.
type Action struct {
	filter.Action
	Set bool
}

// Do returns the action as one that was written.
func Do(a filter.Action) Action { return Action{a, true} }

var actionWords = [...]struct {
	word string
	kind filter.Action
}{
	{"allow", filter.ActionAllow},
	{"log", filter.ActionLog},
	{"kill", filter.ActionKillProcess},
	{"kill-thread", filter.ActionKillThread},
	{"trap", filter.ActionTrap},
	{"notify", filter.ActionNotify},
	{"trace", filter.ActionTrace},
	{"errno", filter.ActionErrno},
}

// UnmarshalText reads an action.
func (a *Action) UnmarshalText(text []byte) error {
	if e, ok := abi.ParseErrno(string(text)); ok {
		*a = Do(errnoAction(e))
		return nil
	}
	word, rest, hasData := strings.Cut(string(text), "(")
	for _, known := range actionWords {
		if word != known.word || known.word == "errno" && !hasData {
			continue
		}
		action := known.kind
		if hasData {
			digits, closed := strings.CutSuffix(rest, ")")
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || !closed {
				return fmt.Errorf("%q has no number in its parentheses: write %s(1)", text, word)
			}
			action |= filter.Action(n)
		}
		if err := action.Check(); err != nil {
			return fmt.Errorf("%q is no action: %w", text, err)
		}
		*a = Do(action)
		return nil
	}
	cure := "write allow, log, kill, an errno such as EPERM, kill-thread, trap, trace or notify"
	if near := nearest(string(text), errnoNames()); near != "" {
		cure = fmt.Sprintf("did you mean %s? %s", near, cure)
	}
	return fmt.Errorf("%q is no action: %s", text, cure)
}

// errnoNames returns the names of all errnos; the last is EHWPOISON, 133.
func errnoNames() []string {
	var names []string
	for e := abi.Errno(1); e < 134; e++ {
		names = append(names, e.Name())
	}
	return names
}

// MarshalText writes the action.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String returns the action as a document writes it, or "" if it was not set.
func (a Action) String() string {
	if !a.Set {
		return ""
	}
	if a.Kind() == filter.ActionErrno {
		name := abi.Errno(a.Data()).Name()
		if _, ok := abi.ParseErrno(name); ok {
			return name
		}
	}
	for _, known := range actionWords {
		if a.Kind() != known.kind {
			continue
		}
		if a.Data() != 0 || known.word == "errno" {
			return known.word + "(" + strconv.Itoa(int(a.Data())) + ")"
		}
		return known.word
	}
	return a.Action.String()
}

// IsZero reports whether the action was not written.
func (a Action) IsZero() bool { return !a.Set }

// Lets reports whether the call goes through to the kernel.
func (a Action) Lets() bool {
	return a.Set && (a.Kind() == filter.ActionAllow || a.Kind() == filter.ActionLog)
}

// errnoAction is the action that fails a call with an errno.
func errnoAction(e abi.Errno) filter.Action { return filter.ActionErrno | filter.Action(e) }
