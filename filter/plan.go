package filter

import "math"

// plan tells for each run of a list how best to decide it.
type plan struct {
	list       []stretch
	weights    []int32 // weights[i] is the weight of list[:i]
	runs       []run
	even       []int16 // even[i] is where the last run from i was split to hold its limits
	descending bool    // the order of teeth
}

// run is what is known of list[i..j].
type run struct {
	cost   int32 // weighted comparisons of the best tree, limits disregarded
	latest int32 // comparisons that may come before it if all limits are to hold
	split  int16 // where the best tree splits
	comb   bool  // a comb is as good as the best tree
}

// at returns the run list[i..j].
func (p *plan) at(i, j int) *run { return &p.runs[i*len(p.list)+j] }

// newPlan plans all runs of a list from the shortest up. The best split of a
// run lies between those of the runs shorter by one (Knuth, "Optimum binary
// search trees", 1971), which makes the time quadratic; combs disturb that a
// little, at the price of a few comparisons.
func newPlan(list []stretch, descending bool) *plan {
	n := len(list)
	p := &plan{list: list, weights: make([]int32, n+1), runs: make([]run, n*n), even: make([]int16, n), descending: descending}
	for i := range list {
		p.weights[i+1] = p.weights[i] + list[i].weight
		*p.at(i, i) = run{latest: list[i].limit, split: int16(i)}
	}
	for length := 2; length <= n; length++ {
		for i := 0; i+length <= n; i++ {
			p.fill(i, i+length-1)
		}
	}
	return p
}

// fill plans one run from the shorter ones.
func (p *plan) fill(i, j int) {
	r := p.at(i, j)
	r.cost = math.MaxInt32
	from, to := max(int(p.at(i, j-1).split), i+1), max(int(p.at(i+1, j).split), i+1)
	for k := from; k <= min(to, j); k++ {
		if cost := p.at(i, k-1).cost + p.at(k, j).cost; cost < r.cost {
			r.cost, r.split = cost, int16(k)
		}
	}
	r.cost += p.weights[j+1] - p.weights[i]
	r.latest = p.latestSplit(i, j)
	if j-i > 2*maxTeeth {
		return // too long for a comb
	}
	c, ok := asComb(p.list[i:j+1], p.descending)
	if !ok {
		return
	}
	if cost := c.cost(); cost <= r.cost {
		r.cost, r.comb = cost, true
	}
	c.hurry()
	r.latest = max(r.latest, c.latest())
}

// latestSplit returns run.latest by the best split for it. A longer run leaves
// less time, so the best is where the two sides are even, and that moves right
// as the run's end does.
func (p *plan) latestSplit(i, j int) int32 {
	k := max(int(p.even[i]), i+1)
	for k < j && p.at(i, k-1).latest > p.at(k, j).latest {
		k++
	}
	p.even[i] = int16(k)
	latest := min(p.at(i, k-1).latest, p.at(k, j).latest)
	if k > i+1 {
		latest = max(latest, min(p.at(i, k-2).latest, p.at(k-1, j).latest))
	}
	return latest - 1
}

// choose returns where to split a run that is reached after depth comparisons,
// or zero for a comb in the order it is returned with.
func (p *plan) choose(i, j int, depth int32) (split int, c comb) {
	r := p.at(i, j)
	if c, ok := asComb(p.list[i:j+1], p.descending); ok {
		if r.comb && c.latest() >= depth {
			return 0, c
		}
		if c.hurry(); c.latest() >= depth && !p.fits(i, j, int(r.split), depth) {
			return 0, c
		}
	}
	if p.fits(i, j, int(r.split), depth) {
		return int(r.split), c
	}
	best := int32(math.MaxInt32)
	split = int(r.split)
	for k := i + 1; k <= j; k++ {
		if cost := p.at(i, k-1).cost + p.at(k, j).cost; cost < best && p.fits(i, j, k, depth) {
			best, split = cost, k
		}
	}
	return split, c
}

// fits says whether the limits hold if a run reached after depth comparisons
// is split at k.
func (p *plan) fits(i, j, k int, depth int32) bool {
	return min(p.at(i, k-1).latest, p.at(k, j).latest) > depth
}
