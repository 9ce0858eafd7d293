package policy

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Clause is a rule as it stands for one call of one architecture.
type Clause struct {
	Rule int // index into [Policy.AllRules]
	When []filter.Cond
}

// CallClauses is what all rules say about one call, in the order in which they
// are tried, whether or not their if and unless hold.
type CallClauses struct {
	Call    string
	Clauses []Clause
	Rest    filter.Action // for what no clause decides
}

// AllRules returns the rules in the order in which they are tried, with those
// that the network section and exec-only make.
func (p *Policy) AllRules() []Rule {
	refusal := newTable(p, Target{}, abi.AMD64).refusal()
	return slices.Concat(p.refusedSockets(refusal), p.refusedMemory(), p.Syscalls.Rules, p.allowedSockets())
}

// Clauses resolves the rules for each call of an architecture, in order of
// number. The error is of type [Problems].
func (p *Policy) Clauses(arch abi.Arch) ([]CallClauses, error) {
	b := newTable(p, Target{}, arch)
	byCall := make(map[string][]Clause, tableSize)
	for i, r := range p.AllRules() {
		b.rule(&r)
		for _, made := range b.table.Rules {
			if call, ok := arch.Syscall(made.Nr); ok {
				byCall[call.Name] = append(byCall[call.Name], Clause{Rule: i, When: made.When})
			}
		}
		// What this rule decides must not hide those after it.
		b.table.Rules = b.table.Rules[:0]
		b.decided = numberSet{}
	}
	var out []CallClauses
	for _, call := range arch.Syscalls() {
		rest := b.otherwise
		if b.mustBeNamed(call) || !hasHandler(call) {
			rest = noSys()
		}
		out = append(out, CallClauses{call.Name, byCall[call.Name], rest})
	}
	return out, b.problems.Err()
}

// BlindCalls returns the calls that no rule decides by their group, as their
// arguments lie behind a pointer while rules look at those of the calls that
// they replace.
func (p *Policy) BlindCalls() []string { return p.blindCalls() }
