package filter

// stretch is a run of a field's values, from first to the next stretch's
// first, that lead to the same node.
type stretch struct {
	first  uint32
	weight int32 // how often, compared with others
	next   nodeID
}

// merge joins neighbours that lead to the same node. It reuses list.
func merge(list []stretch) []stretch {
	merged := list[:0]
	for _, s := range list {
		if last := len(merged) - 1; last >= 0 && merged[last].next == s.next {
			merged[last].weight += s.weight
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// tree returns a node that finds the stretch f's value is in; the first
// stretch starts at 0.
func (g *graph) tree(f field, list []stretch) nodeID {
	return g.split(f, merge(list))
}

func (g *graph) split(f field, list []stretch) nodeID {
	switch {
	case len(list) == 1:
		return list[0].next
	case len(list) == 2 && list[0].first+1 == list[1].first:
		return g.jump(opJEQ, f, list[0].first, list[0].next, list[1].next)
	case len(list) == 3 && list[0].next == list[2].next && list[1].first+1 == list[2].first:
		return g.jump(opJEQ, f, list[1].first, list[1].next, list[0].next)
	}
	var total, left int32
	for _, s := range list {
		total += s.weight
	}
	at := 1
	for left = list[0].weight; at < len(list)-1 && 2*(left+list[at].weight) <= total; at++ {
		left += list[at].weight
	}
	return g.jump(opJGE, f, list[at].first, g.split(f, list[at:]), g.split(f, list[:at]))
}
