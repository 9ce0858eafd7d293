package region

import (
	"errors"
	"slices"
)

// Set is a union of cubes. The nil Set is empty.
type Set []Cube

// Limit is how many cubes a Set may have. Sets of real policies have a few
// hundred at most; hostile ones would grow without end.
const Limit = 1 << 14

// ErrLimit is the error of a result with more cubes than Limit.
var ErrLimit = errors.New("the conditions are too many to be taken apart")

// All returns the set of all registers.
func All() Set { return Set{{}} }

// Contains reports whether registers lie in the set.
func (s Set) Contains(args [6]uint64) bool {
	return slices.ContainsFunc(s, func(c Cube) bool { return c.Contains(args) })
}

// Any returns registers of the set, or false if it is empty: those with the
// fewest bits set of its first cube.
func (s Set) Any() ([6]uint64, bool) {
	if len(s) == 0 {
		return [6]uint64{}, false
	}
	return s[0].Value, true
}

// And returns what lies in both sets.
func (s Set) And(t Set) (Set, error) {
	var out Set
	for _, c := range s {
		for _, d := range t {
			if both, meet := c.and(d); meet {
				out = append(out, both)
			}
			if len(out) > Limit {
				return nil, ErrLimit
			}
		}
	}
	return out.absorb(), nil
}

// Minus returns what lies in s and not in t.
func (s Set) Minus(t Set) (Set, error) {
	for _, d := range t {
		var rest Set
		for _, c := range s {
			rest = c.appendMinus(rest, d)
			if len(rest) > Limit {
				return nil, ErrLimit
			}
		}
		s = rest
	}
	return s, nil
}

// absorb drops the cubes that lie in others, where that is cheap to find.
func (s Set) absorb() Set {
	if len(s) > 256 {
		return s
	}
	var out Set
	for i, c := range s {
		inOther := slices.ContainsFunc(s[:i], c.within) ||
			slices.ContainsFunc(s[i+1:], func(d Cube) bool { return c.within(d) && !d.within(c) })
		if !inOther {
			out = append(out, c)
		}
	}
	return out
}
