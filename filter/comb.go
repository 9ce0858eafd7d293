package filter

// comb is a run of stretches of which all lead to one node but for some single
// values, the teeth: it can be decided by comparing with each of these in turn.
type comb struct {
	teeth  [maxTeeth]*stretch // the first count, in the order of comparisons
	count  int
	around stretch // stands for all others
}

// maxTeeth is the number of single values in a comb at most.
const maxTeeth = 6

// asComb says whether a run of stretches is a comb. Its teeth are ordered by
// weight; among equals the lowest comes first, or the highest if descending.
func asComb(list []stretch, descending bool) (c comb, ok bool) {
	c.around = stretch{limit: unlimited, next: around(list)}
	for i := range list {
		s := &list[i]
		switch {
		case s.next == c.around.next:
			c.around.weight += s.weight
			c.around.limit = min(c.around.limit, s.limit)
		case s.first != s.last || c.count == maxTeeth:
			return c, false
		default:
			c.insert(s, func(before *stretch) bool {
				return before.weight > s.weight || before.weight == s.weight && !descending
			})
		}
	}
	return c, true
}

// around returns the node that most of a run's stretches lead to; but one that
// is no single value can't be a tooth. The first few tell: in a comb, the teeth
// are less than half of them.
func around(list []stretch) nodeID {
	list = list[:min(len(list), 2*maxTeeth+1)]
	best, most := none, 0
	for i := range list {
		if list[i].first != list[i].last {
			return list[i].next
		}
	}
	for i := range list {
		count := 0
		for j := range list {
			if list[j].next == list[i].next {
				count++
			}
		}
		if count > most {
			best, most = list[i].next, count
		}
	}
	return best
}

// insert adds a tooth after those that come before it.
func (c *comb) insert(tooth *stretch, comesBefore func(*stretch) bool) {
	at := c.count
	for ; at > 0 && !comesBefore(c.teeth[at-1]); at-- {
		c.teeth[at] = c.teeth[at-1]
	}
	c.teeth[at] = tooth
	c.count++
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
	teeth := c.teeth[:c.count]
	c.count = 0
	for _, tooth := range teeth {
		c.insert(tooth, func(before *stretch) bool { return before.limit <= tooth.limit })
	}
}
