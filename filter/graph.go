package filter

import "math"

// node is a point of the decision graph: an instruction whose successors are
// other nodes. A return has none, a load or mask has yes only.
type node struct {
	code    uint16
	k       uint32
	yes, no nodeID
	expects field // what the accumulator must hold on arrival
}

// nodeID is a node's place in its graph. Equal nodes have the same one.
type nodeID int32

// none is no node.
const none nodeID = -1

// graph holds every distinct node once, so that whatever decides alike is
// compiled once. Successors come before the nodes that lead to them.
type graph struct {
	nodes []node
	size  []int32 // instructions to write a node and all after it, if nothing were shared
	index map[node]nodeID
	rets  []nodeID // the nodes that end: few, asked for often
}

func newGraph() *graph {
	const usual = 256 // nodes, and the presets need about 100 a table
	return &graph{nodes: make([]node, 0, usual), size: make([]int32, 0, usual), index: make(map[node]nodeID, usual)}
}

// add returns the node, new or known.
func (g *graph) add(n node) nodeID {
	if id, ok := g.index[n]; ok {
		return id
	}
	size := int64(1)
	for _, next := range [...]nodeID{n.yes, n.no} {
		if next != none {
			size += int64(g.size[next])
		}
	}
	id := nodeID(len(g.nodes))
	g.nodes = append(g.nodes, n)
	g.size = append(g.size, int32(min(size, math.MaxInt32)))
	g.index[n] = id
	return id
}

// ret returns the node that ends with a.
func (g *graph) ret(a Action) nodeID {
	for _, id := range g.rets {
		if g.nodes[id].k == uint32(a) {
			return id
		}
	}
	g.rets = append(g.rets, g.add(node{code: opRet, k: uint32(a), yes: none, no: none}))
	return g.rets[len(g.rets)-1]
}

// jump returns the node that compares f, unless both ways lead to the same.
func (g *graph) jump(code uint16, f field, k uint32, yes, no nodeID) nodeID {
	if yes == no {
		return yes
	}
	return g.add(node{code: code, k: k, yes: yes, no: no, expects: f})
}

// enter returns the node to go to so that next finds the field it expects,
// where the accumulator holds at.
func (g *graph) enter(next nodeID, at field) nodeID {
	want := g.nodes[next].expects
	if want == (field{}) || want == at {
		return next
	}
	if want.mask != math.MaxUint32 {
		next = g.add(node{code: opAnd, k: want.mask, yes: next, no: none, expects: word(want.off)})
		if at == word(want.off) {
			return next
		}
	}
	return g.add(node{code: opLoad, k: want.off, yes: next, no: none})
}

// walk returns the nodes that can be reached from id.
func (g *graph) walk(id nodeID) map[nodeID]bool {
	seen := make(map[nodeID]bool)
	var visit func(nodeID)
	visit = func(id nodeID) {
		if id == none || seen[id] {
			return
		}
		seen[id] = true
		visit(g.nodes[id].yes)
		visit(g.nodes[id].no)
	}
	visit(id)
	return seen
}
