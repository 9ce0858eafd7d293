package filter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/callgate/callgate/abi"
)

// RuleError says which rule of a Filter is wrong.
type RuleError struct {
	Table int // index into Filter.Tables
	Rule  int // index into Table.Rules, or -1: the table itself
	Cond  int // index into Rule.When, or -1: the rule itself
	Arch  abi.Arch
	Nr    abi.Sysno
	Err   error
}

// Error names the architecture, the rule, the call and the cause.
func (e *RuleError) Error() string {
	switch {
	case e.Rule < 0:
		return fmt.Sprintf("%s table: %v", e.Arch, e.Err)
	case e.Cond < 0:
		return fmt.Sprintf("%s rule %d (%s): %v", e.Arch, e.Rule, callName(e.Arch, e.Nr), e.Err)
	}
	return fmt.Sprintf("%s rule %d (%s): condition %d: %v", e.Arch, e.Rule, callName(e.Arch, e.Nr), e.Cond, e.Err)
}

// Unwrap returns the cause.
func (e *RuleError) Unwrap() error { return e.Err }

// Check returns an error for a filter that has no meaning: an architecture
// without a name or with two tables, a number of another architecture, an
// action the kernel doesn't know, a condition that Cond.Check refuses or
// conditions of which one excludes another. The error is a *RuleError, or of
// Foreign.
func (f *Filter) Check() error {
	if err := f.Foreign.Check(); err != nil {
		return fmt.Errorf("action for foreign architectures: %w", err)
	}
	for i := range f.Tables {
		if err := f.checkTable(i); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) checkTable(index int) error {
	t := &f.Tables[index]
	wrong := func(rule, cond int, err error) error {
		e := &RuleError{Table: index, Rule: rule, Cond: cond, Arch: t.Arch, Err: err}
		if rule >= 0 {
			e.Nr = t.Rules[rule].Nr
		}
		return e
	}
	if t.Arch.Audit() == 0 {
		return wrong(-1, -1, fmt.Errorf("architecture %d is unknown", t.Arch))
	}
	for i := range f.Tables[:index] {
		if f.Tables[i].Arch == t.Arch {
			return wrong(-1, -1, fmt.Errorf("table %d is of the same architecture: join their rules", i))
		}
	}
	if err := t.Default.Check(); err != nil {
		return wrong(-1, -1, err)
	}
	for i := range t.Rules {
		r := &t.Rules[i]
		if err := checkNumber(t.Arch, r.Nr); err != nil {
			return wrong(i, -1, err)
		}
		if err := r.Then.Check(); err != nil {
			return wrong(i, -1, err)
		}
		for j, c := range r.When {
			if err := c.Check(); err != nil {
				return wrong(i, j, err)
			}
		}
		if r.contradicts() {
			return wrong(i, -1, errors.New("its conditions exclude each other: it would never match"))
		}
	}
	return nil
}

// checkNumber says whether nr can be a call of arch.
func checkNumber(arch abi.Arch, nr abi.Sysno) error {
	switch {
	case nr == ^abi.Sysno(0):
		return errors.New("number -1 is no call: the default decides it")
	case arch == abi.X32 && nr < abi.X32Bit:
		return fmt.Errorf("number %#x: x32 numbers start at %#x", uint32(nr), uint32(abi.X32Bit))
	case arch == abi.AMD64 && nr >= abi.X32Bit:
		return fmt.Errorf("number %#x: amd64 numbers end below %#x, where x32 starts", uint32(nr), uint32(abi.X32Bit))
	}
	return nil
}

// contradicts says whether no arguments satisfy all the rule's conditions. It
// asks the decision graph, so it knows all that the compiler knows.
func (r *Rule) contradicts() bool {
	args := make([]int, 0, 6)
	for _, c := range r.When {
		args = append(args, c.Arg)
	}
	slices.Sort(args)
	if len(slices.Compact(args)) == len(r.When) {
		return false
	}
	g := newGraph()
	otherwise := g.ret(ActionKillProcess)
	return g.decideCall([]clause{{r.atoms(), g.ret(ActionAllow)}, {nil, otherwise}}) == otherwise
}
