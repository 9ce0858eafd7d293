package oci

import (
	"fmt"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// actions pairs the specification's actions with a filter's. SCMP_ACT_KILL is
// the old name of SCMP_ACT_KILL_THREAD; the first of two names is written.
var actions = [...]struct {
	name   string
	action filter.Action
}{
	{"SCMP_ACT_ALLOW", filter.ActionAllow},
	{"SCMP_ACT_ERRNO", filter.ActionErrno},
	{"SCMP_ACT_KILL", filter.ActionKillThread},
	{"SCMP_ACT_KILL_THREAD", filter.ActionKillThread},
	{"SCMP_ACT_KILL_PROCESS", filter.ActionKillProcess},
	{"SCMP_ACT_LOG", filter.ActionLog},
	{"SCMP_ACT_NOTIFY", filter.ActionNotify},
	{"SCMP_ACT_TRACE", filter.ActionTrace},
	{"SCMP_ACT_TRAP", filter.ActionTrap},
}

// hasErrno reports whether an action takes an errnoRet.
func hasErrno(a filter.Action) bool {
	return a.Kind() == filter.ActionErrno || a.Kind() == filter.ActionTrace
}

// parseAction reads an action with its errno, which is EPERM when left out.
func parseAction(name string, number *uint64, errno string) (filter.Action, error) {
	for _, a := range actions {
		if a.name != name {
			continue
		}
		if !hasErrno(a.action) {
			if number != nil || errno != "" {
				return 0, fmt.Errorf("an errno with %s, which takes none", name)
			}
			return a.action, nil
		}
		value, err := parseErrno(number, errno)
		if err != nil {
			return 0, err
		}
		action := a.action | filter.Action(value)
		return action, action.Check()
	}
	var names []string
	for _, a := range actions {
		names = append(names, a.name)
	}
	return 0, fmt.Errorf("%q is no action: %s", name, policy.Suggest(name, names))
}

func parseErrno(number *uint64, name string) (uint64, error) {
	value := uint64(abi.EPERM)
	if number != nil {
		value = *number
	}
	if value > filter.MaxErrno {
		return 0, fmt.Errorf("errno %d: the kernel takes at most %d", value, filter.MaxErrno)
	}
	if name == "" {
		return value, nil
	}
	named, ok := abi.ParseErrno(name)
	switch {
	case !ok:
		return 0, fmt.Errorf("no errno %q", name)
	case number != nil && uint64(named) != value:
		return 0, fmt.Errorf("errno is %s and errnoRet %d: remove one", name, value)
	}
	return uint64(named), nil
}

// actionName returns the specification's word for an action, and its errno or
// nil where it takes none.
func actionName(a filter.Action) (string, *uint64, error) {
	for _, known := range actions {
		if known.action != a.Kind() {
			continue
		}
		switch {
		case hasErrno(a):
			value := uint64(a.Data())
			return known.name, &value, nil
		case a.Data() != 0:
			return "", nil, fmt.Errorf("%s carries a number, which %s does not", a, known.name)
		}
		return known.name, nil, nil
	}
	return "", nil, fmt.Errorf("an OCI profile has no word for %s", a)
}

// ops pairs the specification's comparisons with a filter's.
var ops = [...]struct {
	name string
	op   filter.Op
}{
	{"SCMP_CMP_NE", filter.NotEqual},
	{"SCMP_CMP_LT", filter.Less},
	{"SCMP_CMP_LE", filter.LessEqual},
	{"SCMP_CMP_EQ", filter.Equal},
	{"SCMP_CMP_GE", filter.GreaterEqual},
	{"SCMP_CMP_GT", filter.Greater},
	{"SCMP_CMP_MASKED_EQ", filter.MaskedEqual},
}

func parseOp(name string) (filter.Op, error) {
	var names []string
	for _, o := range ops {
		if o.name == name {
			return o.op, nil
		}
		names = append(names, o.name)
	}
	return 0, fmt.Errorf("%q is no comparison: %s", name, policy.Suggest(name, names))
}

// opName returns the specification's word for a comparison, or "".
func opName(op filter.Op) string {
	for _, o := range ops {
		if o.op == op {
			return o.name
		}
	}
	return ""
}

// machine returns a host's architecture as a policy names it; "x86" is Moby's
// word for i386.
func machine(name string) string {
	if name == "x86" {
		return abi.I386.String()
	}
	if _, ok := abi.ParseArch(name); !ok || strings.HasPrefix(name, "SCMP_") {
		return "?" + name
	}
	return name
}

// hostName is the way back from machine.
func hostName(name string) string {
	if name == abi.I386.String() {
		return "x86"
	}
	return bare(name)
}

// bare returns a policy's word without the '?' that excuses its being unknown.
func bare(word string) string { return strings.TrimPrefix(word, "?") }
