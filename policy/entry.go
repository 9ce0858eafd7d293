package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Entry is a part of a policy that a document writes as one "key: value" line
// of a mapping.
type Entry interface {
	// UnmarshalEntry reads the line. The error quotes what is wrong.
	UnmarshalEntry(key, value string) error
}

// UnmarshalEntry reads "NAME: value".
func (v *Variable) UnmarshalEntry(key, value string) error {
	if key == "" || strings.ContainsAny(key, "=\x00") {
		return fmt.Errorf("%q is not a variable's name: write one without '='", key)
	}
	if strings.Contains(value, "\x00") {
		return fmt.Errorf("the value of %q has a zero byte in it: remove it", key)
	}
	v.Name, v.Value = key, value
	return nil
}

// MarshalEntry writes the variable.
func (v Variable) MarshalEntry() (key, value string) { return v.Name, v.Value }

// UnmarshalEntry reads "name: value".
func (a *Arg) UnmarshalEntry(key, value string) error {
	a.Name, a.Value = key, Operand(value)
	return nil
}

// MarshalEntry writes the argument.
func (a Arg) MarshalEntry() (key, value string) { return a.Name, string(a.Value) }

// RlimitNames are the resource limits, RLIMIT_* without the prefix, at the
// index the kernel gives them (include/uapi/asm-generic/resource.h).
var RlimitNames = [...]string{
	"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock",
	"as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
}

// UnmarshalEntry reads "nofile: 1024" or "nofile: 1024:4096".
func (r *Rlimit) UnmarshalEntry(key, value string) error {
	if _, err := word([]byte(key), RlimitNames[:]); err != nil {
		return fmt.Errorf("rlimit %w", err)
	}
	softText, hardText, both := strings.Cut(value, ":")
	if !both {
		hardText = softText
	}
	soft, errSoft := rlimitValue(softText)
	hard, errHard := rlimitValue(hardText)
	if errSoft != nil || errHard != nil {
		return fmt.Errorf("%q is not a limit: write a number, unlimited, or SOFT:HARD", value)
	}
	if soft > hard {
		return fmt.Errorf("%q has a soft limit above the hard one: swap them", value)
	}
	r.Name, r.Soft, r.Hard = key, soft, hard
	return nil
}

// MarshalEntry writes the limit.
func (r Rlimit) MarshalEntry() (key, value string) {
	if r.Soft == r.Hard {
		return r.Name, rlimitText(r.Soft)
	}
	return r.Name, rlimitText(r.Soft) + ":" + rlimitText(r.Hard)
}

func rlimitValue(text string) (uint64, error) {
	if text == "unlimited" {
		return Unlimited, nil
	}
	return strconv.ParseUint(text, 10, 63)
}

func rlimitText(n uint64) string {
	if n == Unlimited {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
