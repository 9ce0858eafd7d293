package filter

import (
	"math"
	"slices"
)

// stretch is a run of a field's values, from first to before the next
// stretch's first, that lead to the same node.
type stretch struct {
	first  uint32
	last   uint32 // filled in by tree
	weight int32  // how often, compared with others; at least 1
	limit  int32  // comparisons it should take at most, or unlimited
	next   nodeID
}

// unlimited is more comparisons than any stretch takes.
const unlimited = 1 << 20

// merge joins neighbours that lead to the same node. It reuses list.
func merge(list []stretch) []stretch {
	merged := list[:0]
	for _, s := range list {
		last := len(merged) - 1
		if last < 0 || merged[last].next != s.next {
			merged = append(merged, s)
			continue
		}
		merged[last].weight += s.weight
		merged[last].limit = min(merged[last].limit, s.limit)
	}
	return merged
}

// tree returns a node that finds the stretch f's value is in: within the
// limits where that can be, and then with the fewest comparisons on average.
// The first stretch starts at 0.
func (g *graph) tree(f field, list []stretch) nodeID {
	t := search{graph: g, field: f}
	list = merge(list)
	for i := range list {
		list[i].last = math.MaxUint32
		if i+1 < len(list) {
			list[i].last = list[i+1].first - 1
		}
	}
	if c, ok := asComb(list, true); ok && c.count <= maxChain && f.off >= offArgs {
		return t.chain(&c)
	}
	return t.build(list, 0)
}

// search is a search tree in the making. It compares a value either with the
// start of a stretch or, in a comb, with single values one after another.
type search struct {
	*graph
	field field
}

const (
	// maxPlan is the number of stretches that are planned together: the time
	// goes with its square. Longer lists are halved first.
	maxPlan = 32
	// maxChain is the number of an argument's values that are always compared
	// one after another: a tree would be little quicker.
	maxChain = 5
)

// build returns the node for a run of the stretches that is reached after depth
// comparisons.
func (t *search) build(list []stretch, depth int32) nodeID {
	if len(list) > maxPlan {
		middle := halve(list, depth)
		yes := t.build(list[middle:], depth+1)
		return t.jump(opJGE, t.field, list[middle].first, yes, t.build(list[:middle], depth+1))
	}
	p := newPlan(list, t.field.off >= offArgs)
	// Where not all limits can hold, all are exceeded alike.
	return t.grow(p, 0, len(list)-1, min(p.at(0, len(list)-1).latest, depth))
}

// halve returns the index before which lies half of what a list's stretches
// need, if it is reached after depth comparisons: their weight, and room for
// their limits, as one that has n comparisons left takes 1/2ⁿ of a tree.
func halve(list []stretch, depth int32) int {
	var weight, total, left int
	for i := range list {
		weight += int(list[i].weight)
	}
	need := func(s *stretch) int { return int(s.weight) + 2*(weight>>max(s.limit-depth, 0)) }
	for i := range list {
		total += need(&list[i])
	}
	for i := range list[:len(list)-1] {
		if left += need(&list[i]); 2*left >= total {
			return i + 1
		}
	}
	return len(list) - 1
}

// grow returns the node for a planned run that is reached after depth
// comparisons.
func (t *search) grow(p *plan, i, j int, depth int32) nodeID {
	if i == j {
		return p.list[i].next
	}
	at, c := p.choose(i, j, depth)
	if at == 0 {
		return t.chain(&c)
	}
	yes := t.grow(p, at, j, depth+1)
	return t.jump(opJGE, t.field, p.list[at].first, yes, t.grow(p, i, at-1, depth+1))
}

// chain returns the node for a comb.
func (t *search) chain(c *comb) nodeID {
	id := c.around.next
	for _, tooth := range slices.Backward(c.teeth[:c.count]) {
		id = t.jump(opJEQ, t.field, tooth.first, tooth.next, id)
	}
	return id
}
