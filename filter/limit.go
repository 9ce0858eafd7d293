package filter

// limit sets how many comparisons the numbers of one table may take: no more
// than in libseccomp's programs for the same rules, whichever of its two shapes
// it is told to make (SCMP_FLTATR_CTL_OPTIMIZE). Within that, the tree is free
// to favour frequent calls. A stretch here is one ruled number, or a gap.
func (g *graph) limit(list []stretch, otherwise nodeID) {
	ruled := make([]int, 0, len(list)/2+1) // the stretches that need comparing, highest first
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].next != otherwise {
			ruled = append(ruled, i)
		}
	}
	g.limitToList(list, ruled)
	limitToTree(list, ruled)
}

// listStart is the number of comparisons before the first of a list: one tells
// x32 calls.
const listStart = 1

// limitToList limits calls to their place in a list of comparisons: first those
// without conditions, then the others, each from the lowest number up.
func (g *graph) limitToList(list []stretch, ruled []int) {
	place := int32(listStart)
	for _, plain := range [...]bool{true, false} {
		for k := len(ruled) - 1; k >= 0; k-- {
			s := &list[ruled[k]]
			if plain == (g.nodes[s.next].code == opRet) {
				place++
				s.limit = min(s.limit, place)
			}
		}
	}
}

const (
	groupSize = 4 // numbers that libseccomp's tree compares one after another
	treeStart = 2 // comparisons before the root of that tree
)

// limitToTree limits numbers to their place in a binary tree whose leaves are
// lists of four, highest number first, and that is made from the top down by
// joining neighbours: an odd one is joined later and ends up nearer the root.
func limitToTree(list []stretch, ruled []int) {
	depths := joinDepths((len(ruled) + groupSize - 1) / groupSize)
	above := len(list) // the stretches from here on have their limit
	for group, depth := range depths {
		members := ruled[group*groupSize : min((group+1)*groupSize, len(ruled))]
		lowest := members[len(members)-1]
		if group == len(depths)-1 {
			lowest = 0
		}
		miss := treeStart + depth + int32(len(members))
		for i := lowest; i < above; i++ {
			list[i].limit = min(list[i].limit, miss)
		}
		for place, i := range members {
			list[i].limit = min(list[i].limit, treeStart+depth+int32(place)+1)
		}
		above = lowest
	}
}

// joinDepths returns how deep each of a row of leaves is once neighbours have
// been joined, and those joined again, until one is left.
func joinDepths(leaves int) []int32 {
	depths := make([]int32, leaves)
	for width := 1; width < leaves; width *= 2 {
		for i := range depths {
			first := i / (2 * width) * (2 * width)
			if first+width < leaves {
				depths[i]++
			}
		}
	}
	return depths
}
