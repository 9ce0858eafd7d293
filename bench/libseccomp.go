package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// libseccomp compiles rules as the peer does.
type libseccomp struct{ program string }

// newLibseccomp builds the peer, or says what it needs and returns nil.
func (b *bench) newLibseccomp() (*libseccomp, error) {
	if !b.have("cc", "gcc, libseccomp-dev") {
		return nil, nil
	}
	probe := exec.Command("cc", "-E", "-x", "c", "-")
	probe.Stdin = strings.NewReader("#include <seccomp.h>\n")
	if probe.Run() != nil {
		b.Printf("seccomp.h is not installed (Debian: libseccomp-dev): libseccomp is left out.\n\n")
		return nil, nil
	}
	program, err := b.compileC("libseccomp", "-lseccomp")
	return &libseccomp{program}, err
}

// Optimize levels of libseccomp (seccomp_attr_set(3), SCMP_FLTATR_CTL_OPTIMIZE).
const (
	scmpList = 1 // its default: comparisons one after the other, by priority
	scmpTree = 2 // a binary tree
)

// compile returns the program for the rules, encoded for the kernel, and the
// median time of building it a number of times, in nanoseconds.
func (l *libseccomp) compile(f *filter.Filter, optimize, times int) (program []byte, ns float64, err error) {
	rules, err := scmpRules(f)
	if err != nil {
		return nil, 0, err
	}
	cmd := exec.Command(l.program, strconv.Itoa(optimize), strconv.Itoa(times))
	var errors bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(rules), &errors
	if program, err = cmd.Output(); err != nil {
		return nil, 0, fmt.Errorf("libseccomp: %w: %s", err, errors.String())
	}
	ns, err = strconv.ParseFloat(strings.TrimSpace(errors.String()), 64)
	return program, ns, err
}

// scmpRules writes a filter as testdata/libseccomp.c reads it. libseccomp refuses
// rules with the default action, and knows no order: a rule without conditions
// replaces the others of its call. So both are left out, and what a call's
// conditions don't allow gets the default action.
func scmpRules(f *filter.Filter) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "filter %d\n", f.Foreign)
	for i := range f.Tables {
		table, conditional := &f.Tables[i], map[abi.Sysno]bool{}
		fmt.Fprintf(&b, "arch %d %d\n", table.Arch.Audit(), table.Default)
		for _, rule := range table.Rules {
			if rule.Then == table.Default || len(rule.When) == 0 && conditional[rule.Nr] {
				continue
			}
			conditional[rule.Nr] = len(rule.When) > 0
			comparisons, err := scmpComparisons(rule.When)
			if err != nil {
				return "", fmt.Errorf("call %d of %v: %w", rule.Nr, table.Arch, err)
			}
			for _, c := range comparisons {
				fmt.Fprintf(&b, "rule %d %d %d%s\n", rule.Then, rule.Nr, len(rule.When), c)
			}
		}
	}
	return b.String(), nil
}

// scmpComparisons writes what a rule compares; a set makes a rule of
// libseccomp for each of its values.
func scmpComparisons(when []filter.Cond) ([]string, error) {
	texts := []string{""}
	for _, cond := range when {
		var longer []string
		for _, value := range cond.Values {
			comparison, err := scmpComparison(cond, value)
			if err != nil {
				return nil, err
			}
			for _, text := range texts {
				longer = append(longer, text+comparison)
			}
		}
		texts = longer
	}
	return texts, nil
}

// errInexpressible is for conditions that libseccomp has no comparison for.
var errInexpressible = errors.New("libseccomp has no such comparison")

// scmpComparison writes one comparison: argument, enum scmp_compare, operands.
func scmpComparison(c filter.Cond, value uint64) (string, error) {
	const (
		less        = 2
		equal       = 4
		maskedEqual = 7
		low         = 1<<32 - 1
	)
	switch {
	case (c.Op == filter.Equal || c.Op == filter.In) && c.Bits == 32:
		return fmt.Sprintf(" %d %d %d %d", c.Arg, maskedEqual, uint64(low), value), nil
	case c.Op == filter.Equal || c.Op == filter.In:
		return fmt.Sprintf(" %d %d %d 0", c.Arg, equal, value), nil
	case c.Op == filter.MaskedEqual:
		return fmt.Sprintf(" %d %d %d %d", c.Arg, maskedEqual, c.Mask, value), nil
	case c.Op == filter.Less && c.Bits != 32 && !c.Signed:
		return fmt.Sprintf(" %d %d %d 0", c.Arg, less, value), nil
	}
	return "", fmt.Errorf("%w: %+v", errInexpressible, c)
}
