package policy

import (
	"fmt"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// comparison is one of the ways a condition may compare.
type comparison struct {
	key    string
	op     filter.Op
	values []Operand
}

// comparison returns the one that was written. Errors say so of none and of several.
func (c *Condition) comparison() (comparison, error) {
	all := [...]comparison{
		{"equals", filter.Equal, one(c.Equals)},
		{"not", filter.NotEqual, one(c.Not)},
		{"below", filter.Less, one(c.Below)},
		{"at-most", filter.LessEqual, one(c.AtMost)},
		{"above", filter.Greater, one(c.Above)},
		{"at-least", filter.GreaterEqual, one(c.AtLeast)},
		{"in", filter.In, c.In},
		{"between", filter.Range, c.Between},
	}
	var found comparison
	for _, candidate := range all {
		if len(candidate.values) == 0 {
			continue
		}
		if found.key != "" {
			return found, fmt.Errorf("a condition on %q compares twice, by %s and %s: write two conditions", c.Arg.Text, found.key, candidate.key)
		}
		found = candidate
	}
	switch {
	case found.key == "":
		return found, fmt.Errorf("a condition on %q compares with nothing: add equals, not, in, between, below, at-most, above or at-least", c.Arg.Text)
	case c.Mask != "" && found.key != "equals":
		return found, fmt.Errorf("a mask with %q: a mask goes with equals", found.key)
	case c.Mask != "":
		found.op = filter.MaskedEqual
	case found.key == "between" && len(c.Between) != 2:
		return found, fmt.Errorf("between has %d values: write [low, high]", len(c.Between))
	}
	return found, nil
}

func one(v Operand) []Operand {
	if v == "" {
		return nil
	}
	return []Operand{v}
}

// compile turns a condition into one of a filter, for one call of one
// architecture.
func (c *Condition) compile(call *abi.Syscall, arch abi.Arch) (filter.Cond, error) {
	compare, err := c.comparison()
	if err != nil {
		return filter.Cond{}, err
	}
	index, err := argumentIndex(call, c.Arg.Text)
	if err != nil {
		return filter.Cond{}, err
	}
	arg := &call.Args[index]
	if arg.Pointer() && c.Bits == 0 {
		return filter.Cond{}, fmt.Errorf("%s of %s is a pointer, of which a filter sees only the address: rule the whole call, or files and network", arg.Name, call.Name)
	}
	bits := c.Bits
	if bits == 0 {
		bits = width(arg, arch)
	}
	out := filter.Cond{Arg: index, Op: compare.op, Bits: bits, Signed: c.Signed}
	if c.Mask != "" {
		if out.Mask, err = c.Mask.value(arch, bits); err != nil {
			return out, err
		}
	}
	for _, operand := range compare.values {
		v, err := operand.value(arch, bits)
		if err != nil {
			return out, err
		}
		out.Values = append(out.Values, v)
	}
	if c.Mask != "" && out.Values[0]&^out.Mask != 0 {
		return out, fmt.Errorf("mask %s never leaves %s: the value has bits outside the mask", c.Mask, c.Equals)
	}
	if compare.key == "between" && outOfOrder(out) {
		return out, fmt.Errorf("between [%s, %s] holds nothing: write the lower value first", c.Between[0], c.Between[1])
	}
	return out, nil
}

func outOfOrder(c filter.Cond) bool {
	low, high := c.Values[0], c.Values[1]
	switch {
	case !c.Signed:
		return low > high
	case c.Bits == 32:
		return int32(low) > int32(high)
	}
	return int64(low) > int64(high)
}
