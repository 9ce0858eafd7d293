package filter

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// Action is what a seccomp program returns for a call: a SECCOMP_RET_* value in
// the high 16 bits and its data in the low 16 (include/uapi/linux/seccomp.h).
// The zero Action kills the calling thread: a forgotten action denies.
type Action uint32

// Actions without data; see also Errno, Trap and Trace.
const (
	ActionKillThread  Action = 0x00000000
	ActionTrap        Action = 0x00030000 // SIGSYS; not a gate trap
	ActionErrno       Action = 0x00050000 // errno 0: the call is skipped and returns 0
	ActionNotify      Action = 0x7fc00000 // ask the listener
	ActionTrace       Action = 0x7ff00000 // ask a ptracer
	ActionLog         Action = 0x7ffc0000 // allow and log
	ActionAllow       Action = 0x7fff0000
	ActionKillProcess Action = 0x80000000
)

// MaxErrno is the largest errno the kernel passes on (MAX_ERRNO,
// include/linux/err.h).
const MaxErrno = 4095

// actionNames lists the kinds in the kernel's order of precedence: of several
// filters' actions, the one listed first wins.
var actionNames = [...]struct {
	kind Action
	name string
}{
	{ActionKillProcess, "kill process"},
	{ActionKillThread, "kill thread"},
	{ActionTrap, "trap"},
	{ActionErrno, "errno"},
	{ActionNotify, "notify"},
	{ActionTrace, "trace"},
	{ActionLog, "log"},
	{ActionAllow, "allow"},
}

// Errno skips the call, which returns -e; e is at most MaxErrno.
func Errno(e abi.Errno) Action { return ActionErrno | Action(e) }

// Trap sends SIGSYS with data as its si_errno and skips the call.
func Trap(data uint16) Action { return ActionTrap | Action(data) }

// Trace stops the call for a ptracer, which reads data by PTRACE_GETEVENTMSG.
// Without a ptracer the call fails with ENOSYS.
func Trace(data uint16) Action { return ActionTrace | Action(data) }

// Kind is the action without its data (SECCOMP_RET_ACTION_FULL).
func (a Action) Kind() Action { return a & 0xffff0000 }

// Data is the action's low 16 bits (SECCOMP_RET_DATA): an errno, or what a
// SIGSYS handler or ptracer is told.
func (a Action) Data() uint16 { return uint16(a) }

// Precedence orders kinds as the kernel does between several filters: the
// action with the smallest precedence is taken. An unknown kind kills the
// process, so it has that action's precedence.
func (a Action) Precedence() int {
	for i, known := range actionNames {
		if a.Kind() == known.kind {
			return i
		}
	}
	return 0
}

// Check tells an action that a filter may return from one it may not: an
// unknown kind, data where the kernel looks at none, an errno above MaxErrno.
func (a Action) Check() error {
	switch a.Kind() {
	case ActionErrno:
		if a.Data() > MaxErrno {
			return fmt.Errorf("errno %d: the kernel passes on at most %d", a.Data(), MaxErrno)
		}
	case ActionTrap, ActionTrace:
	case ActionKillProcess, ActionKillThread, ActionNotify, ActionLog, ActionAllow:
		if a.Data() != 0 {
			return fmt.Errorf("action %s takes no data, got %d", a.Kind(), a.Data())
		}
	default:
		return fmt.Errorf("action %#08x is unknown", uint32(a))
	}
	return nil
}

// String returns the action as ParseAction reads it: "allow", "kill process",
// "errno(EPERM)", "trap(5)".
func (a Action) String() string {
	for _, known := range actionNames {
		if a.Kind() != known.kind {
			continue
		}
		switch {
		case a.Kind() == ActionErrno:
			return known.name + "(" + errnoName(a.Data()) + ")"
		case a.Data() != 0:
			return known.name + "(" + strconv.Itoa(int(a.Data())) + ")"
		}
		return known.name
	}
	return fmt.Sprintf("action(%#08x)", uint32(a))
}

// errnoName is the errno's name, or its number where it has none.
func errnoName(number uint16) string {
	if name := abi.Errno(number).Name(); strings.HasPrefix(name, "E") {
		return name
	}
	return strconv.Itoa(int(number))
}

// parseData reads what stands in an action's brackets.
func parseData(kind Action, text string) (uint16, error) {
	if kind == ActionErrno {
		if e, ok := abi.ParseErrno(text); ok {
			return uint16(e), nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil && kind == ActionErrno {
		return 0, fmt.Errorf("%q is no errno: want a name such as EPERM, or a number", text)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no number from 0 to 65535", text)
	}
	return uint16(n), nil
}

// ParseAction reads an action as String writes it. An errno may be a number.
func ParseAction(text string) (Action, error) {
	name, data, hasData := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	if hasData != strings.HasSuffix(text, ")") {
		return 0, fmt.Errorf("action %q: want NAME or NAME(DATA)", text)
	}
	var a Action
	found := false
	for _, known := range actionNames {
		if name == known.name {
			a, found = known.kind, true
		}
	}
	if !found {
		return 0, fmt.Errorf("action %q is unknown: want allow, log, errno(NAME), trap, trace, notify, kill process or kill thread", text)
	}
	if hasData {
		n, err := parseData(a, data)
		if err != nil {
			return 0, fmt.Errorf("action %q: %w", text, err)
		}
		a |= Action(n)
	}
	if err := a.Check(); err != nil {
		return 0, fmt.Errorf("action %q: %w", text, err)
	}
	return a, nil
}
