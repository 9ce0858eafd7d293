package filter

import "math"

// field is what the accumulator holds while it is compared: some bits of one
// word of struct seccomp_data. The zero field stands for nothing known.
type field struct {
	off  uint32
	mask uint32
}

// word is all of the word at off.
func word(off uint32) field { return field{off, math.MaxUint32} }

// atom is the smallest part of a condition: a set that a number must be in.
// The number is a field, or, when wide, an argument of which field is the high
// half.
type atom struct {
	field field
	wide  bool
	set   spans
}

// atoms splits a checked condition: a masked one by halves, so that each part
// looks at one word. Parts that always hold are left out.
func (c Cond) atoms() []atom {
	if c.Op == MaskedEqual && c.number(c.Mask) != c.limit() {
		var list []atom
		value, mask := c.number(c.Values[0]), c.number(c.Mask)
		if high := uint32(mask >> 32); high != 0 {
			list = append(list, atom{field: field{offHigh(c.Arg), high}, set: spans{{value >> 32, value >> 32}}})
		}
		if low := uint32(mask); low != 0 {
			part := value & math.MaxUint32
			list = append(list, atom{field: field{offLow(c.Arg), low}, set: spans{{part, part}}})
		}
		return list
	}
	if c.Op == MaskedEqual {
		c.Op = Equal
	}
	set := c.spans()
	if all, _ := set.overlap(0, c.limit()); all {
		return nil
	}
	if c.Bits == 32 {
		return []atom{{field: word(offLow(c.Arg)), set: set}}
	}
	return []atom{{field: word(offHigh(c.Arg)), wide: true, set: set}}
}

// bounds appends where the outcome of the atom may change as f's value grows:
// the first value of each stretch, save 0.
func (a *atom) bounds(f field, list []uint32) []uint32 {
	if a.field != f {
		return list
	}
	for _, s := range a.set {
		lo, hi := s.lo, s.hi
		if a.wide {
			lo, hi = lo>>32, hi>>32
			if s.lo<<32 != 0 && lo < math.MaxUint32 {
				list = append(list, uint32(lo)+1)
			}
			if s.hi<<32 != math.MaxUint32<<32 && hi > 0 {
				list = append(list, uint32(hi))
			}
		}
		if lo > 0 {
			list = append(list, uint32(lo))
		}
		if hi < math.MaxUint32 {
			list = append(list, uint32(hi)+1)
		}
	}
	return list
}

// outcome is what is known of an atom: it holds, it doesn't, or it is open.
type outcome uint8

const (
	open outcome = iota
	holds
	fails
)

// given returns what remains of the atom once f is known to lie between lo and
// hi, a stretch within which bounds lists nothing.
func (a *atom) given(f field, lo, hi uint32) (outcome, atom) {
	if a.field.off != f.off {
		return open, *a
	}
	if a.field == f {
		low, high := uint64(lo), uint64(hi)
		if a.wide {
			low, high = low<<32, high<<32|math.MaxUint32
		}
		all, some := a.set.overlap(low, high)
		switch {
		case all:
			return holds, atom{}
		case !some:
			return fails, atom{}
		}
		return open, atom{field: word(f.off - 4), set: a.set.clip(low, high, low)}
	}
	if lo != hi || a.wide {
		return open, *a
	}
	// One mask's value says something of another's.
	common := a.field.mask & f.mask
	if common == a.field.mask {
		if all, _ := a.set.overlap(uint64(lo&common), uint64(lo&common)); all {
			return holds, atom{}
		}
		return fails, atom{}
	}
	if len(a.set) == 1 && a.set[0].lo == a.set[0].hi && (uint32(a.set[0].lo)^lo)&common != 0 {
		return fails, atom{}
	}
	return open, *a
}
