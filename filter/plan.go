package filter

import "math"

// plan tells for each run of a list how best to decide it.
type plan struct {
	list       []stretch
	weights    []int32 // weights[i] is the weight of list[:i]
	runs       []run   // by their last stretch, then by their first
	even       []int16 // even[i] is where the last run from i was split to hold its limits
	descending bool    // whether the higher of equals is told first
}

// run is what is known of list[i..j].
type run struct {
	cost   int32 // weighted comparisons of the best tree, limits disregarded
	latest int32 // comparisons that may come before it if all limits are to hold
	split  int16 // where the best tree splits
	comb   bool  // a comb is as good as the best tree
}

// ending returns the runs that end with list[j].
func (p *plan) ending(j int) []run { return p.runs[j*(j+1)/2:][:j+1] }

// at returns the run list[i..j].
func (p *plan) at(i, j int) *run { return &p.runs[j*(j+1)/2+i] }

// newPlan plans all runs of a list from the shortest up. The best split of a
// run lies between those of the runs shorter by one (Knuth, "Optimum binary
// search trees", 1971), which makes the time quadratic; combs disturb that a
// little, at the price of a few comparisons.
func newPlan(list []stretch, descending bool) *plan {
	n := len(list)
	p := &plan{list: list, weights: make([]int32, n+1), runs: make([]run, n*(n+1)/2), even: make([]int16, n), descending: descending}
	for j := range list {
		p.weights[j+1] = p.weights[j] + list[j].weight
		*p.at(j, j) = run{latest: list[j].limit, split: int16(j)}
		combs := true // until a run is none: those that hold it are none either
		for i := j - 1; i >= 0; i-- {
			p.split(i, j)
			combs = combs && p.comb(i, j)
		}
	}
	return p
}

// split plans a run from the shorter ones.
func (p *plan) split(i, j int) {
	ending := p.ending(j) // the right sides of splits
	r := &ending[i]
	r.cost = math.MaxInt32
	from, to := max(int(p.at(i, j-1).split), i+1), min(max(int(ending[i+1].split), i+1), j)
	for k := from; k <= to; k++ {
		if cost := p.at(i, k-1).cost + ending[k].cost; cost < r.cost || p.descending && cost == r.cost {
			r.cost, r.split = cost, int16(k)
		}
	}
	r.cost += p.weights[j+1] - p.weights[i]
	r.latest = p.latestSplit(i, ending)
}

// comb plans a run as a comb where that is better, and says whether it is one.
func (p *plan) comb(i, j int) bool {
	c, ok := asComb(p.list[i:j+1], p.descending)
	if !ok {
		return false
	}
	r := p.at(i, j)
	if cost := c.cost(); cost <= r.cost {
		r.cost, r.comb = cost, true
	}
	c.hurry()
	r.latest = max(r.latest, c.latest())
	return true
}

// latestSplit returns run.latest by the best split for it. A longer run leaves
// less time, so the best is where the two sides are even, and that moves right
// as the run's end does.
func (p *plan) latestSplit(i int, ending []run) int32 {
	j := len(ending) - 1
	k := max(int(p.even[i]), i+1)
	left := p.at(i, k-1).latest
	for k < j && left > ending[k].latest {
		k++
		left = p.at(i, k-1).latest
	}
	p.even[i] = int16(k)
	latest := min(left, ending[k].latest)
	if k > i+1 {
		latest = max(latest, min(p.at(i, k-2).latest, ending[k-1].latest))
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
