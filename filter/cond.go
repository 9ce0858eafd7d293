package filter

import (
	"errors"
	"fmt"
	"math"
)

// Holds says whether the condition holds for a call's arguments. A condition
// that Check refuses never holds.
func (c Cond) Holds(args [6]uint64) bool {
	if c.Check() != nil {
		return false
	}
	arg, first := c.number(args[c.Arg]), c.number(c.Values[0])
	switch c.Op {
	case Equal:
		return arg == first
	case NotEqual:
		return arg != first
	case Less:
		return c.less(arg, first)
	case LessEqual:
		return !c.less(first, arg)
	case Greater:
		return c.less(first, arg)
	case GreaterEqual:
		return !c.less(arg, first)
	case MaskedEqual:
		return arg&c.Mask == first
	case Range:
		return !c.less(arg, first) && !c.less(c.number(c.Values[1]), arg)
	case In:
		for _, v := range c.Values {
			if arg == c.number(v) {
				return true
			}
		}
	}
	return false
}

// number is the part of a register that the condition looks at.
func (c Cond) number(v uint64) uint64 {
	if c.Bits == 32 {
		return uint64(uint32(v))
	}
	return v
}

// less compares two numbers in the condition's order.
func (c Cond) less(a, b uint64) bool {
	switch {
	case c.Signed && c.Bits == 32:
		return int32(a) < int32(b)
	case c.Signed:
		return int64(a) < int64(b)
	}
	return a < b
}

// Check says what is wrong with a condition: what it compares, with what, or
// that it can never hold.
func (c Cond) Check() error {
	if c.Arg < 0 || c.Arg > 5 {
		return fmt.Errorf("argument %d: a call has arguments 0 to 5", c.Arg)
	}
	if c.Bits != 0 && c.Bits != 64 && c.Bits != 32 {
		return fmt.Errorf("%d bits: want 32 or 64", c.Bits)
	}
	if err := c.checkCount(); err != nil {
		return err
	}
	for _, v := range c.Values {
		if !c.fits(v) {
			return fmt.Errorf("value %#x is wider than 32 bits and would never match: compare 64 bits", v)
		}
	}
	if c.Op != MaskedEqual {
		if c.Mask != 0 {
			return fmt.Errorf("mask %#x: only a masked comparison has one", c.Mask)
		}
		return c.checkOrder()
	}
	switch {
	case c.Mask == 0:
		return errors.New("mask 0 leaves nothing to compare")
	case !c.fits(c.Mask):
		return fmt.Errorf("mask %#x is wider than 32 bits: compare 64 bits", c.Mask)
	case c.number(c.Values[0])&^c.Mask != 0:
		return fmt.Errorf("value %#x has bits outside mask %#x and would never match", c.Values[0], c.Mask)
	}
	return nil
}

// checkCount says whether the condition has the number of values it needs.
func (c Cond) checkCount() error {
	switch n := len(c.Values); c.Op {
	case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, MaskedEqual:
		if n != 1 {
			return fmt.Errorf("%d values: a comparison has one", n)
		}
	case Range:
		if n != 2 {
			return fmt.Errorf("%d values: a range has two, low and high", n)
		}
	case In:
		if n == 0 {
			return errors.New("no values: a set has at least one")
		}
	default:
		return fmt.Errorf("comparison %d is unknown", c.Op)
	}
	return nil
}

// checkOrder refuses order comparisons that nothing satisfies.
func (c Cond) checkOrder() error {
	if c.Op == Range && c.less(c.number(c.Values[1]), c.number(c.Values[0])) {
		return fmt.Errorf("range from %#x to %#x is empty: low comes first", c.Values[0], c.Values[1])
	}
	if len(c.spans()) == 0 {
		return fmt.Errorf("no number is on that side of %#x: it would never match", c.Values[0])
	}
	return nil
}

// fits says whether a value can be told by the condition's bits: a 32-bit
// value may come sign-extended.
func (c Cond) fits(v uint64) bool {
	return c.Bits != 32 || v <= math.MaxUint32 || int64(v) >= math.MinInt32 && int64(v) < 0
}

// limit is the largest unsigned number of the condition's bits.
func (c Cond) limit() uint64 {
	if c.Bits == 32 {
		return math.MaxUint32
	}
	return math.MaxUint64
}

// spans returns the unsigned numbers for which a condition without a mask
// holds.
func (c Cond) spans() spans {
	low, high := uint64(0), c.limit() // the smallest and largest number in the condition's order
	if c.Signed {
		low, high = c.limit()/2+1, c.limit()/2
	}
	first := c.number(c.Values[0])
	switch c.Op {
	case Equal:
		return spans{{first, first}}
	case NotEqual:
		return spans{{first, first}}.complement(c.limit())
	case Less:
		if first == low {
			return nil
		}
		return c.between(low, (first-1)&c.limit())
	case LessEqual:
		return c.between(low, first)
	case Greater:
		if first == high {
			return nil
		}
		return c.between((first+1)&c.limit(), high)
	case GreaterEqual:
		return c.between(first, high)
	case Range:
		return c.between(first, c.number(c.Values[1]))
	case In:
		list := make([]span, 0, len(c.Values))
		for _, v := range c.Values {
			list = append(list, span{c.number(v), c.number(v)})
		}
		return unite(list)
	}
	return nil
}

// between returns the numbers from low to high in the condition's order. As
// unsigned numbers, a range of signed ones that crosses zero wraps round.
func (c Cond) between(low, high uint64) spans {
	if low <= high {
		return spans{{low, high}}
	}
	return unite([]span{{0, high}, {low, c.limit()}})
}
