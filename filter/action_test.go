package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

func TestActionText(t *testing.T) {
	tests := []struct {
		action Action
		text   string
	}{
		{ActionKillProcess, "kill process"},
		{ActionKillThread, "kill thread"},
		{ActionTrap, "trap"},
		{Trap(5), "trap(5)"},
		{Errno(abi.EPERM), "errno(EPERM)"},
		{Errno(4000), "errno(4000)"},
		{ActionErrno, "errno(0)"},
		{ActionNotify, "notify"},
		{ActionTrace, "trace"},
		{Trace(65535), "trace(65535)"},
		{ActionLog, "log"},
		{ActionAllow, "allow"},
	}
	for _, test := range tests {
		if got := test.action.String(); got != test.text {
			t.Errorf("Action(%#x).String() = %q; want %q", uint32(test.action), got, test.text)
		}
		if got, err := ParseAction(test.text); got != test.action || err != nil {
			t.Errorf("ParseAction(%q) = %#x, %v; want %#x", test.text, uint32(got), err, uint32(test.action))
		}
		if err := test.action.Check(); err != nil {
			t.Errorf("Action(%#x).Check() = %v; want nil", uint32(test.action), err)
		}
	}
	if got := Action(0x12345678).String(); got != "action(0x12345678)" {
		t.Errorf("an unknown action's String() = %q; want its number", got)
	}
}

func TestParseActionErrors(t *testing.T) {
	tests := map[string]string{
		"":               `action "" is unknown: want allow, log, errno(NAME), trap, trace, notify, kill process or kill thread`,
		"permit":         `action "permit" is unknown: want allow, log, errno(NAME), trap, trace, notify, kill process or kill thread`,
		"allow(1)":       `action "allow(1)": action allow takes no data, got 1`,
		"errno(EWRONG)":  `action "errno(EWRONG)": "EWRONG" is no errno: want a name such as EPERM, or a number`,
		"errno(4096)":    `action "errno(4096)": errno 4096: the kernel passes on at most 4095`,
		"trap(65536)":    `action "trap(65536)": "65536" is no number from 0 to 65535`,
		"trap(1":         `action "trap(1": want NAME or NAME(DATA)`,
		"kill process()": `action "kill process()": "" is no number from 0 to 65535`,
	}
	for text, want := range tests {
		if got, err := ParseAction(text); err == nil || err.Error() != want {
			t.Errorf("ParseAction(%q) = %v, %v; want error %q", text, got, err, want)
		}
	}
}

func TestActionParts(t *testing.T) {
	if a := Trace(7); a.Kind() != ActionTrace || a.Data() != 7 {
		t.Errorf("Trace(7) has kind %v and data %d; want trace and 7", a.Kind(), a.Data())
	}
	for _, a := range []Action{Errno(4096), ActionAllow + 1, ActionNotify + 1, 0x00010000} {
		if a.Check() == nil {
			t.Errorf("Action(%#x).Check() = nil; want an error", uint32(a))
		}
	}
	// From include/uapi/linux/seccomp.h: "The ordering ensures that a min_t()
	// over composed return values always selects the least permissive choice",
	// the values being signed.
	ordered := []Action{ActionKillProcess, ActionKillThread, Trap(9), Errno(9), ActionNotify, Trace(9), ActionLog, ActionAllow}
	for i, a := range ordered {
		if a.Precedence() != i {
			t.Errorf("%v.Precedence() = %d; want %d", a, a.Precedence(), i)
		}
		if i > 0 && int32(ordered[i-1]) >= int32(a) {
			t.Errorf("%v is not below %v as the kernel compares", ordered[i-1], a)
		}
	}
	if got := Action(0x00010000).Precedence(); got != 0 {
		t.Errorf("an unknown action's Precedence() = %d; want that of kill process", got)
	}
}
