package oci

import (
	"slices"
	"strconv"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/region"
	"github.com/callgate/callgate/policy"
)

// written returns conditions that are written as a profile would have them, of
// whole registers by index and number: those of an imported rule. They hold for
// calls that callgate does not know, too.
func written(when []policy.Condition) ([]Arg, bool) {
	var out []Arg
	for _, c := range when {
		index, err := strconv.ParseUint(c.Arg.Text, 10, 3)
		if err != nil || index > 5 || c.Bits != 64 || c.Signed || len(c.Between) > 0 || len(c.In) > 0 && len(when) > 1 {
			return nil, false
		}
		compare := [...]struct {
			op     string
			values []policy.Operand
		}{
			{"SCMP_CMP_NE", []policy.Operand{c.Not}},
			{"SCMP_CMP_LT", []policy.Operand{c.Below}},
			{"SCMP_CMP_LE", []policy.Operand{c.AtMost}},
			{"SCMP_CMP_EQ", append([]policy.Operand{c.Equals}, c.In...)},
			{"SCMP_CMP_GE", []policy.Operand{c.AtLeast}},
			{"SCMP_CMP_GT", []policy.Operand{c.Above}},
		}
		for _, op := range compare {
			for _, v := range op.values {
				if v == "" {
					continue
				}
				a := Arg{Index: index, Op: op.op}
				if a.Value, err = strconv.ParseUint(string(v), 0, 64); err != nil {
					return nil, false
				}
				if c.Mask != "" {
					a.Op, a.ValueTwo = "SCMP_CMP_MASKED_EQ", a.Value
					if a.Value, err = strconv.ParseUint(string(c.Mask), 0, 64); err != nil {
						return nil, false
					}
				}
				out = append(out, a)
			}
		}
	}
	return out, len(out) > 0 || len(when) == 0
}

// plain returns conditions that a profile can have as they are: one comparison
// of a whole register for each argument.
func plain(conds []filter.Cond) ([]Arg, bool) {
	var out []Arg
	for _, c := range conds {
		name := opName(c.Op)
		if name == "" || c.Bits == 32 || c.Signed {
			return nil, false
		}
		a := Arg{Index: uint64(c.Arg), Op: name, Value: c.Values[0]}
		if c.Op == filter.MaskedEqual {
			a.Value, a.ValueTwo = c.Mask, c.Values[0]
		}
		out = append(out, a)
	}
	return out, !repeats(out)
}

// lists returns the conditions of the entries that together hold for a set of
// registers. Cubes of one argument become one entry, any of whose conditions
// suffices; others an entry each.
func lists(set region.Set) [][]Arg {
	var out [][]Arg
	joined := make(map[uint64]int) // index of the entry for an argument
	for _, cube := range set {
		var args []Arg
		for i, mask := range cube.Mask {
			switch {
			case mask == ^uint64(0):
				args = append(args, Arg{Index: uint64(i), Op: "SCMP_CMP_EQ", Value: cube.Value[i]})
			case mask != 0:
				args = append(args, Arg{Index: uint64(i), Op: "SCMP_CMP_MASKED_EQ", Value: mask, ValueTwo: cube.Value[i]})
			}
		}
		if len(args) != 1 {
			out = append(out, args)
			continue
		}
		if at, ok := joined[args[0].Index]; ok {
			out[at] = append(out[at], args[0])
			continue
		}
		joined[args[0].Index] = len(out)
		out = append(out, args)
	}
	return out
}

// argLists returns conditions as entries' conditions.
func argLists(conds []filter.Cond) ([][]Arg, error) {
	if args, ok := plain(conds); ok {
		return [][]Arg{args}, nil
	}
	set, err := region.Of(conds)
	return lists(set), err
}

func sameLists(a, b [][]Arg) bool {
	return slices.EqualFunc(a, b, func(x, y []Arg) bool { return slices.Equal(x, y) })
}
