package filter

import (
	"cmp"
	"slices"
)

// comb is a run of stretches in which every other is a single value and those
// around lead to one node: it can be decided by comparing with each of the
// values, the teeth, in turn.
type comb struct {
	teeth  [maxTeeth]stretch // the first count, in the order of comparisons
	count  int
	around stretch // stands for all those around
}

// maxTeeth is the number of single values in a comb at most.
const maxTeeth = 6

// asComb says whether a run of stretches is a comb. Its teeth are ordered by
// weight; among equals the lowest comes first, or the highest if descending.
func asComb(list []stretch, descending bool) (comb, bool) {
	for first := range 2 {
		if isComb(list, first) {
			c := combFrom(list, first)
			teeth := c.teeth[:c.count]
			if descending {
				slices.Reverse(teeth)
			}
			slices.SortStableFunc(teeth, func(a, b stretch) int { return cmp.Compare(b.weight, a.weight) })
			return c, true
		}
	}
	return comb{}, false
}

// isComb says whether a run is a comb of which list[first] is a tooth.
func isComb(list []stretch, first int) bool {
	if len(list) < 2 || (len(list)-first+1)/2 > maxTeeth {
		return false
	}
	for i := range list {
		if i%2 == first && list[i].first != list[i].last || i%2 != first && list[i].next != list[1-first].next {
			return false
		}
	}
	return true
}

// combFrom makes a comb of a run of which list[first] is a tooth.
func combFrom(list []stretch, first int) comb {
	c := comb{around: stretch{limit: unlimited}}
	for i, s := range list {
		if i%2 == first {
			c.teeth[c.count] = s
			c.count++
			continue
		}
		c.around.next = s.next
		c.around.weight += s.weight
		c.around.limit = min(c.around.limit, s.limit)
	}
	return c
}

// cost is the weighted number of comparisons.
func (c *comb) cost() int32 {
	sum := int32(c.count) * c.around.weight
	for i, s := range c.teeth[:c.count] {
		sum += int32(i+1) * s.weight
	}
	return sum
}

// latest is the number of comparisons that may come before, with the teeth in
// their present order, so that all limits hold.
func (c *comb) latest() int32 {
	latest := c.around.limit - int32(c.count)
	for i, s := range c.teeth[:c.count] {
		latest = min(latest, s.limit-int32(i+1))
	}
	return latest
}

// hurry orders the teeth by their limits.
func (c *comb) hurry() {
	slices.SortStableFunc(c.teeth[:c.count], func(a, b stretch) int { return cmp.Compare(a.limit, b.limit) })
}
