package filter

import (
	"cmp"
	"slices"
)

// span is the numbers from lo to hi, inclusive.
type span struct{ lo, hi uint64 }

// spans is a set of numbers: sorted, disjoint and not adjacent. The empty
// spans is the empty set.
type spans []span

// unite sorts and merges spans given in any order.
func unite(list []span) spans {
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var united spans
	for _, s := range list {
		last := len(united) - 1
		switch {
		case last >= 0 && s.lo <= united[last].hi:
			united[last].hi = max(united[last].hi, s.hi)
		case last >= 0 && s.lo == united[last].hi+1:
			united[last].hi = s.hi
		default:
			united = append(united, s)
		}
	}
	return united
}

// complement returns the numbers from 0 to limit that are not in s.
func (s spans) complement(limit uint64) spans {
	var rest spans
	next := uint64(0)
	for _, in := range s {
		if in.lo > next {
			rest = append(rest, span{next, in.lo - 1})
		}
		if in.hi == limit {
			return rest
		}
		next = in.hi + 1
	}
	return append(rest, span{next, limit})
}

// clip returns the part of s from lo to hi, less base.
func (s spans) clip(lo, hi, base uint64) spans {
	first, _ := slices.BinarySearchFunc(s, lo, func(in span, lo uint64) int { return cmp.Compare(in.hi, lo) })
	var part spans
	for _, in := range s[first:] {
		if in.lo > hi {
			break
		}
		part = append(part, span{max(in.lo, lo) - base, min(in.hi, hi) - base})
	}
	return part
}

// overlap says whether s holds all of lo to hi, and whether it holds any of it.
func (s spans) overlap(lo, hi uint64) (all, some bool) {
	first, _ := slices.BinarySearchFunc(s, lo, func(in span, lo uint64) int { return cmp.Compare(in.hi, lo) })
	if first == len(s) || s[first].lo > hi {
		return false, false
	}
	return s[first].lo <= lo && s[first].hi >= hi, true
}
