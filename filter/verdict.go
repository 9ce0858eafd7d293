package filter

import "github.com/callgate/callgate/abi"

// Decide returns what the filter makes of a call, straight from the rules, and
// the indices of the table and the rule that decided: -1 for no table (Foreign)
// or no rule (the table's Default). It is slower than a compiled program and
// the yardstick for it.
func (f *Filter) Decide(d Data) (action Action, table, rule int) {
	for table = range f.Tables {
		t := &f.Tables[table]
		if t.Arch.Audit() != d.Arch || isX32(d) != (t.Arch == abi.X32) {
			continue
		}
		for rule = range t.Rules {
			if r := &t.Rules[rule]; r.Nr == d.Nr && r.holds(d.Args) {
				return r.Then, table, rule
			}
		}
		return t.Default, table, -1
	}
	return f.Foreign, -1, -1
}

// isX32 tells x32 calls from amd64's: their numbers start at bit 30, save -1,
// which a tracer writes to have a call skipped.
func isX32(d Data) bool {
	return d.Arch == abi.AMD64.Audit() && d.Nr >= abi.X32Bit && d.Nr != ^abi.Sysno(0)
}

// holds says whether all the rule's conditions hold.
func (r *Rule) holds(args [6]uint64) bool {
	for _, c := range r.When {
		if !c.Holds(args) {
			return false
		}
	}
	return true
}
