package filter

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/callgate/callgate/abi"
)

// Compile turns the filter into a program that Validate accepts. It fails on a
// filter that Check refuses, and with a *SizeError on one that needs more than
// MaxInstructions.
//
// A program looks at the architecture, then at the number, then at the words
// of the arguments that the call's rules compare. A call with one action for
// all arguments is decided without looking at them, which is what the kernel
// needs to allow it without running the program (see Program.ConstantAllow).
func (f *Filter) Compile() (Program, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	g := newGraph()
	p := g.emit(g.enter(g.filter(f), field{}))
	if len(p) > MaxInstructions {
		return nil, f.sizeError(len(p))
	}
	return p, nil
}

// filter returns the node that decides by the architecture: one comparison a
// table, in the tables' order.
func (g *graph) filter(f *Filter) nodeID {
	arch := word(offArch)
	var audits []uint32
	for _, t := range f.Tables {
		if audit := t.Arch.Audit(); !slices.Contains(audits, audit) {
			audits = append(audits, audit)
		}
	}
	id := g.ret(f.Foreign)
	for _, audit := range slices.Backward(audits) {
		id = g.jump(opJEQ, arch, audit, g.enter(g.numbers(f, audit), arch), id)
	}
	return id
}

// numbers returns the node that decides by the number, for the tables that
// share an AUDIT_ARCH_* value.
func (g *graph) numbers(f *Filter, audit uint32) nodeID {
	foreign := g.ret(f.Foreign)
	own := f.table(audit, false)
	list := g.table(own, foreign)
	if audit != abi.AMD64.Audit() {
		return g.tree(word(offNr), list)
	}
	// -1 is no x32 call: it is what a tracer writes to have a call skipped.
	skipped := foreign
	if own != nil {
		skipped = g.ret(own.Default)
	}
	last := stretch{first: math.MaxUint32, weight: 1, limit: unlimited, next: skipped}
	x32 := f.table(audit, true)
	if x32 == nil {
		first := stretch{first: uint32(abi.X32Bit), weight: 1, limit: unlimited, next: foreign}
		return g.tree(word(offNr), append(list, first, last))
	}
	above := g.tree(word(offNr), append(g.table(x32, foreign), last))
	return g.jump(opJGE, word(offNr), uint32(abi.X32Bit), above, g.tree(word(offNr), list))
}

// table returns the filter's table for an AUDIT_ARCH_* value, or nil.
func (f *Filter) table(audit uint32, x32 bool) *Table {
	for i := range f.Tables {
		if t := &f.Tables[i]; t.Arch.Audit() == audit && (t.Arch == abi.X32) == x32 {
			return t
		}
	}
	return nil
}

// table returns the stretches of one table's numbers. Without a table all are
// foreign.
func (g *graph) table(t *Table, foreign nodeID) []stretch {
	if t == nil {
		return []stretch{{weight: 1, limit: unlimited, next: foreign}}
	}
	otherwise := g.ret(t.Default)
	list := make([]stretch, 1, 2*len(t.Rules)+3)
	list[0] = stretch{weight: 1, limit: unlimited, next: otherwise}
	for rules := range t.byNumber() {
		nr := uint32(t.Rules[rules[0]].Nr)
		if list[len(list)-1].first == nr {
			list = list[:len(list)-1]
		}
		list = append(list,
			stretch{first: nr, weight: 1, limit: unlimited, next: g.call(t, rules, otherwise)},
			stretch{first: nr + 1, weight: 1, limit: unlimited, next: otherwise})
	}
	weigh(t.Arch, list)
	g.limit(list, otherwise)
	return list
}

// byNumber yields the indices of the table's rules, those of one number
// together and in order, numbers ascending.
func (t *Table) byNumber() iter.Seq[[]int] {
	keys := make([]uint64, len(t.Rules))
	for i := range t.Rules {
		keys[i] = uint64(t.Rules[i].Nr)<<32 | uint64(i)
	}
	slices.Sort(keys)
	return func(yield func([]int) bool) {
		var rules []int
		for at, key := range keys {
			rules = append(rules, int(uint32(key)))
			if at+1 < len(keys) && keys[at+1]>>32 == key>>32 {
				continue
			}
			if !yield(rules) {
				return
			}
			rules = rules[:0]
		}
	}
}

// call returns the node for the rules of one number.
func (g *graph) call(t *Table, rules []int, otherwise nodeID) nodeID {
	if first := &t.Rules[rules[0]]; len(first.When) == 0 {
		return g.ret(first.Then)
	}
	clauses := make([]clause, 0, len(rules)+1)
	for _, i := range rules {
		clauses = append(clauses, clause{t.Rules[i].atoms(), g.ret(t.Rules[i].Then)})
	}
	return g.decideCall(append(clauses, clause{then: otherwise}))
}

// atoms splits the rule's conditions and puts them in the order of arguments,
// high halves first.
func (r *Rule) atoms() []atom {
	var list []atom
	for _, c := range r.When {
		list = append(list, c.atoms()...)
	}
	slices.SortStableFunc(list, func(a, b atom) int {
		return cmp.Or(cmp.Compare(a.field.off/8, b.field.off/8), -cmp.Compare(a.field.off, b.field.off))
	})
	return list
}
