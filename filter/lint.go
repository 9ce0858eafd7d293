package filter

import (
	"fmt"
	"math"

	"github.com/callgate/callgate/abi"
)

// Finding is something in a Filter that has a meaning, but hardly the one its
// author had in mind.
type Finding struct {
	Table int // index into Filter.Tables
	Rule  int // index into Table.Rules
	Cond  int // index into Rule.When, or -1: the rule itself
	Arch  abi.Arch
	Nr    abi.Sysno
	// By is the index of the earlier rule that decides in the rule's place, or
	// -1 if several do together or the finding is about a condition.
	By int
}

// String says what was found: "amd64 rule 3 (openat (257)): never decides:
// rule 1 does".
func (f Finding) String() string {
	rule := fmt.Sprintf("%s rule %d (%s): ", f.Arch, f.Rule, callName(f.Arch, f.Nr))
	switch {
	case f.Cond >= 0:
		return rule + fmt.Sprintf("condition %d always holds", f.Cond)
	case f.By >= 0:
		return rule + fmt.Sprintf("never decides: rule %d does", f.By)
	}
	return rule + "never decides: earlier rules do together"
}

// Lint returns what is odd about a filter that Check accepts: rules that never
// decide, because earlier ones do, and conditions that always hold.
func (f *Filter) Lint() []Finding {
	var findings []Finding
	for i := range f.Tables {
		t := &f.Tables[i]
		for rules := range t.byNumber() {
			for _, found := range t.lint(rules) {
				found.Table, found.Arch, found.Nr = i, t.Arch, t.Rules[found.Rule].Nr
				findings = append(findings, found)
			}
		}
	}
	return findings
}

// lint looks at the rules of one number.
func (t *Table) lint(rules []int) (findings []Finding) {
	for _, i := range rules {
		for j, c := range t.Rules[i].When {
			if len(c.atoms()) == 0 {
				findings = append(findings, Finding{Rule: i, Cond: j, By: -1})
			}
		}
	}
	if len(rules) == 1 {
		return findings
	}
	g := newGraph()
	clauses := make([]clause, 0, len(rules)+1)
	for _, i := range rules {
		clauses = append(clauses, clause{t.Rules[i].atoms(), g.ret(Action(i))}) // tells rules apart, not a verdict
	}
	seen := g.walk(g.decideCall(append(clauses, clause{then: g.ret(math.MaxUint32)})))
	always := -1
	for k, i := range rules {
		if !seen[clauses[k].then] {
			findings = append(findings, Finding{Rule: i, Cond: -1, By: always})
		}
		if always < 0 && len(clauses[k].atoms) == 0 {
			always = i
		}
	}
	return findings
}
