package filter

import "slices"

// maxSkip is the furthest a conditional jump reaches (sock_filter.jt is 8 bits).
const maxSkip = 255

// emitter writes a graph as a program, from the last instruction to the first:
// jumps only go forward, so what a jump leads to is always written before it.
type emitter struct {
	*graph
	out Program // reversed
	at  []int   // where each node was last written in out, or -1
}

// emit returns the program that starts at root. It may be longer than the
// kernel takes.
func (g *graph) emit(root nodeID) Program {
	e := emitter{graph: g, out: make(Program, 0, len(g.nodes)+8), at: make([]int, len(g.nodes))}
	for i := range e.at {
		e.at[i] = -1
	}
	e.visit(root)
	e.top(root)
	slices.Reverse(e.out)
	return e.out
}

// visit writes a node and all that it leads to, once.
func (e *emitter) visit(id nodeID) {
	if e.at[id] >= 0 {
		return
	}
	n := e.nodes[id]
	switch {
	case n.no != none:
		// The smaller side goes nearest, so that the other stays in reach.
		near, far := n.yes, n.no
		if e.size[near] > e.size[far] {
			near, far = far, near
		}
		e.visit(far)
		e.visit(near)
	case n.yes != none:
		e.visit(n.yes)
	}
	e.write(id)
}

// write puts one node's instruction in front, its successors being written.
func (e *emitter) write(id nodeID) {
	n := e.nodes[id]
	ins := Instruction{Code: n.code, K: n.k}
	switch {
	case n.no != none:
		for !e.inReach(n.yes) || !e.inReach(n.no) {
			if !e.inReach(n.yes) {
				e.bring(n.yes)
			} else {
				e.bring(n.no)
			}
		}
		ins.Jt, ins.Jf = uint8(e.distance(n.yes)), uint8(e.distance(n.no))
	case n.yes != none:
		e.top(n.yes)
	}
	e.at[id] = len(e.out)
	e.out = append(e.out, ins)
}

// distance is how many instructions lie between the next one written and a node.
func (e *emitter) distance(id nodeID) int { return len(e.out) - e.at[id] - 1 }

func (e *emitter) inReach(id nodeID) bool { return e.distance(id) <= maxSkip }

// top makes a node the foremost instruction, by writing it again if need be:
// as short as a jump to it, and a step less to execute.
func (e *emitter) top(id nodeID) {
	if e.distance(id) != 0 {
		e.write(id)
	}
}

// bring makes a node reachable again: a return by a copy, anything else by a
// jump that is not limited in length.
func (e *emitter) bring(id nodeID) {
	if e.nodes[id].code == opRet {
		e.write(id)
		return
	}
	skip := e.distance(id)
	e.at[id] = len(e.out)
	e.out = append(e.out, Instruction{Code: opJA, K: uint32(skip)})
}
