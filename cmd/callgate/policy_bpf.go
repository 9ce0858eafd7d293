package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// fate is what becomes of one call.
type fate struct {
	Arch   string    `json:"arch"`
	Number abi.Sysno `json:"number"`
	Call   string    `json:"call"`
	Action string    `json:"action"`       // of the first rule; others are in By
	Bitmap bool      `json:"bitmap"`       // allowed without running the program
	By     []string  `json:"by,omitempty"` // "ACTION FILE:LINE" of each rule, in order
}

// showProgram prints the seccomp program of a policy, and what becomes of every
// call.
func (f *policyFlags) showProgram(w io.Writer, p *policy.Policy, target policy.Target) error {
	compiled, err := p.Filter(target)
	if err != nil {
		return err
	}
	program, err := compiled.Filter.Compile()
	if err != nil {
		return err
	}
	fates := fatesOf(p, compiled, program)
	if f.output == "json" {
		return printJSON(w, struct {
			Instructions filter.Program `json:"instructions"`
			Calls        []fate         `json:"calls"`
		}{program, fates})
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# %d instructions of at most %d\n%s\n", len(program), filter.MaxInstructions, program)
	bitmap := 0
	for _, one := range fates {
		if one.Bitmap {
			bitmap++
		}
	}
	fmt.Fprintf(&page, "# %d calls, %d of them in the kernel's bitmap of calls allowed without running the program\n", len(fates), bitmap)
	for _, one := range fates {
		where := "program"
		if one.Bitmap {
			where = "bitmap"
		}
		fmt.Fprintf(&page, "%-8s %-30s %-8s %s\n", one.Arch, fmt.Sprintf("%s (%d)", one.Call, one.Number), where, strings.Join(one.By, ", "))
	}
	fmt.Fprintf(&page, "# other numbers: %s; other architectures: %s\n",
		policy.Do(compiled.Filter.Tables[0].Default), policy.Do(compiled.Filter.Foreign))
	_, err = io.WriteString(w, page.String())
	return err
}

func fatesOf(p *policy.Policy, compiled *policy.Compiled, program filter.Program) []fate {
	var fates []fate
	for i := range compiled.Filter.Tables {
		table := &compiled.Filter.Tables[i]
		for number, call := range table.Arch.Syscalls() {
			one := fate{Arch: table.Arch.String(), Number: number, Call: call.Name}
			whole := false
			for j, r := range table.Rules {
				if r.Nr != number || whole {
					continue
				}
				whole = len(r.When) == 0
				one.By = append(one.By, decidedBy(p, r, compiled.Origins[i][j]))
			}
			if !whole {
				one.By = append(one.By, strings.TrimSpace(policy.Do(table.Default).String()+" "+origin(tooNew(p, call))))
			}
			one.Action, _, _ = strings.Cut(one.By[0], " ")
			one.Bitmap = hasBitmap(compiled.Filter.Tables, i) && program.ConstantAllow(table.Arch.Audit(), number)
			fates = append(fates, one)
		}
	}
	return fates
}

// decidedBy says what a rule makes of a call, and where it was written.
func decidedBy(p *policy.Policy, r filter.Rule, at policy.Origin) string {
	text := policy.Do(r.Then).String()
	if len(r.When) > 0 {
		text += " for some arguments"
	}
	if at == (policy.Origin{}) {
		at = p.Syscalls.Otherwise.At
	}
	if at != (policy.Origin{}) {
		text += " " + at.String()
	}
	return text
}

// tooNew returns where the baseline was written that a call is newer than.
func tooNew(p *policy.Policy, call *abi.Syscall) policy.Origin {
	since := policy.Version{Major: int(call.Since.Major), Minor: int(call.Since.Minor)}
	if p.Baseline.IsZero() || p.Baseline.AtLeast(since) {
		return policy.Origin{}
	}
	return p.Baseline.At
}

// hasBitmap reports whether the kernel keeps a bitmap for a table: for its own
// numbering and one 32-bit one (SECCOMP_ARCH_COMPAT in kernel/seccomp.c).
func hasBitmap(tables []filter.Table, i int) bool {
	return i == 0 || slices.Contains([]abi.Arch{abi.I386, abi.ARM}, tables[i].Arch)
}
