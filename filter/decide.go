package filter

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// clause leads to a node when all its atoms hold.
type clause struct {
	atoms []atom
	then  nodeID
}

// decider compiles one call's clauses into a graph.
type decider struct {
	*graph
	known  map[string]nodeID
	budget int // decisions left
}

// decideCall returns the node for an ordered list of clauses, the last of which
// always holds.
func (g *graph) decideCall(clauses []clause) nodeID {
	d := decider{graph: g, known: make(map[string]nodeID), budget: budget(clauses)}
	if id := d.decide(clauses, field{}); id != none {
		return d.enter(id, field{})
	}
	d.known, d.budget = make(map[string]nodeID), math.MaxInt
	id := clauses[len(clauses)-1].then
	for _, c := range slices.Backward(clauses[:len(clauses)-1]) {
		id = d.enter(d.decide([]clause{c, {then: id}}, field{}), field{})
	}
	return id
}

// budget bounds the decisions for a call by the size of its rules: conditions
// on many different fields can multiply. Beyond the bound rules are tried one
// by one.
func budget(clauses []clause) int {
	size := 32
	for i := range clauses {
		for j := range clauses[i].atoms {
			size += 8 * len(clauses[i].atoms[j].set)
		}
	}
	return size
}

// decide returns the node for clauses where the accumulator holds at, or none
// if the budget is used up. It settles one field for all clauses at a time, so
// that no path loads and compares a field twice.
func (d *decider) decide(clauses []clause, at field) nodeID {
	clauses = trim(clauses)
	if len(clauses[0].atoms) == 0 {
		return clauses[0].then
	}
	if d.budget == 0 {
		return none
	}
	d.budget--
	key := fingerprint(clauses, at)
	if id, ok := d.known[key]; ok {
		return id
	}
	id := d.settle(choose(foremost(clauses), at), clauses)
	d.known[key] = id
	return id
}

// settle decides by the value of f.
func (d *decider) settle(f field, clauses []clause) nodeID {
	firsts := []uint32{0}
	for i := range clauses {
		for j := range clauses[i].atoms {
			firsts = clauses[i].atoms[j].bounds(f, firsts)
		}
	}
	slices.Sort(firsts)
	firsts = slices.Compact(firsts)
	if bit, ok := singleTest(f, firsts); ok {
		return d.settleBits(f, bit, clauses)
	}
	list := make([]stretch, 0, len(firsts))
	for i, first := range firsts {
		last := uint32(math.MaxUint32)
		if i+1 < len(firsts) {
			last = firsts[i+1] - 1
		}
		next := d.decide(narrow(clauses, f, first, last), f)
		if next == none {
			return none
		}
		list = append(list, stretch{first: first, weight: 1, limit: unlimited, next: d.enter(next, f)})
	}
	return d.tree(f, list)
}

// singleTest says whether a masked field need only be told zero from non-zero,
// and which is the value that stands for non-zero (or zero, if the mask has
// several bits: then no single value does).
func singleTest(f field, firsts []uint32) (nonzero uint32, ok bool) {
	if f.mask == math.MaxUint32 {
		return 0, false
	}
	if bits.OnesCount32(f.mask) == 1 {
		return f.mask, true
	}
	return 0, len(firsts) == 2 && firsts[1] == 1
}

// settleBits decides by whether f is zero, in one instruction that leaves the
// whole word in the accumulator.
func (d *decider) settleBits(f field, nonzero uint32, clauses []clause) nodeID {
	whole := word(f.off)
	high := nonzero
	if nonzero == 0 {
		nonzero, high = 1, math.MaxUint32
	}
	yes := d.decide(narrow(clauses, f, nonzero, high), whole)
	no := d.decide(narrow(clauses, f, 0, 0), whole)
	if yes == none || no == none {
		return none
	}
	return d.jump(opJSET, whole, f.mask, d.enter(yes, whole), d.enter(no, whole))
}

// foremost returns the atoms of the clause to look at first. The order of those
// that lead to the same as the first doesn't matter: it is the one about the
// last argument, as in libseccomp's programs, and among these the shortest.
func foremost(clauses []clause) []atom {
	best := clauses[0].atoms
	for _, c := range clauses[1:] {
		if c.then != clauses[0].then || len(c.atoms) == 0 {
			break
		}
		arg, bestArg := c.atoms[0].field.off/8, best[0].field.off/8
		if arg > bestArg || arg == bestArg && len(c.atoms) < len(best) {
			best = c.atoms
		}
	}
	return best
}

// choose picks the field to settle next: one already in the accumulator if any.
func choose(atoms []atom, at field) field {
	for i := range atoms {
		if atoms[i].field == at {
			return at
		}
	}
	for i := range atoms {
		if atoms[i].field.off == at.off && at.mask == math.MaxUint32 {
			return atoms[i].field
		}
	}
	return atoms[0].field
}

// trim leaves out clauses that are never reached or that change nothing.
func trim(clauses []clause) []clause {
	for i := range clauses {
		if len(clauses[i].atoms) == 0 {
			clauses = clauses[:i+1]
			break
		}
	}
	last := clauses[len(clauses)-1]
	end := len(clauses) - 1
	for end > 0 && clauses[end-1].then == last.then {
		end--
	}
	if end == len(clauses)-1 {
		return clauses
	}
	return append(slices.Clone(clauses[:end]), last)
}

// narrow returns what remains of clauses once f lies between lo and hi.
func narrow(clauses []clause, f field, lo, hi uint32) []clause {
	rest := make([]clause, 0, len(clauses))
next:
	for _, c := range clauses {
		var atoms []atom
		for i := range c.atoms {
			switch result, remains := c.atoms[i].given(f, lo, hi); result {
			case fails:
				continue next
			case open:
				atoms = append(atoms, remains)
			}
		}
		rest = append(rest, clause{atoms, c.then})
		if len(atoms) == 0 {
			break
		}
	}
	return rest
}

// fingerprint tells lists of clauses apart.
func fingerprint(clauses []clause, at field) string {
	b := make([]byte, 0, 256)
	b = binary.AppendUvarint(b, uint64(at.off))
	b = binary.AppendUvarint(b, uint64(at.mask))
	for _, c := range clauses {
		b = binary.AppendUvarint(b, uint64(c.then))
		b = binary.AppendUvarint(b, uint64(len(c.atoms)))
		for _, a := range c.atoms {
			kind := uint64(len(a.set)) << 1
			if a.wide {
				kind |= 1
			}
			b = binary.AppendUvarint(b, kind)
			b = binary.AppendUvarint(b, uint64(a.field.off))
			b = binary.AppendUvarint(b, uint64(a.field.mask))
			for _, s := range a.set {
				b = binary.AppendUvarint(b, s.lo)
				b = binary.AppendUvarint(b, s.hi)
			}
		}
	}
	return string(b)
}
