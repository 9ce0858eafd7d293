package guard

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// Refusals is a tap that keeps what was refused, or is expected to be, thousands of
// repeats as one. The zero Refusals is ready.
type Refusals struct {
	mutex   sync.Mutex
	kinds   map[kind]*Refused
	seen    int
	omitted int
}

// Refused is a call that was refused, and how often.
type Refused struct {
	event.Event     // the first of them
	Count       int // 1 or more
	Last        int // the place of the last of them among all refusals, from 1
}

// maxKinds bounds what is kept: a program can make as many different calls as it
// likes.
const maxKinds = 1000

// kind is what two refusals have in common to count as one.
type kind struct {
	program string
	arch    abi.Arch
	nr      abi.Sysno
	args    [6]uint64 // without addresses
	memory  string    // what stood at those that were looked at
	errno   abi.Errno
}

func kindOf(e event.Event) kind {
	k := kind{program: e.Task.Program, arch: e.Call.Arch, nr: e.Call.Nr, errno: e.Errno}
	row, ok := e.Call.Syscall()
	if !ok {
		return k
	}
	for i := range row.Args {
		if arg := &row.Args[i]; !arg.Pointer() && arg.Kind != abi.KindAddress {
			k.args[i] = arg.Narrow(e.Call.Args[i])
		}
	}
	for _, m := range e.Memory {
		text := string(m.Bytes)
		if address, ok := m.Address(); ok && row.Args[m.Arg].Kind == abi.KindSockaddr {
			text = address // without the padding behind it
		}
		k.memory += text + "\x00"
	}
	return k
}

// Wants is gate.Selective's: what is neither refused nor expected to be is not kept.
func (r *Refusals) Wants(e event.Event) bool { return e.Errno != 0 }

// Observe is gate.Tap's.
func (r *Refusals) Observe(e event.Event) {
	if !r.Wants(e) {
		return
	}
	k := kindOf(e)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.seen++
	switch known := r.kinds[k]; {
	case known != nil:
		known.Count++
		known.Last = r.seen
	case len(r.kinds) == maxKinds:
		r.omitted++
	default:
		if r.kinds == nil {
			r.kinds = map[kind]*Refused{}
		}
		r.kinds[k] = &Refused{e, 1, r.seen}
	}
}

// Kinds returns each kind of refusal by itself, the last first. Omitted is as in
// Summary.
func (r *Refusals) Kinds() (list []Refused, omitted int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, refused := range r.kinds {
		list = append(list, *refused)
	}
	slices.SortFunc(list, func(a, b Refused) int { return cmp.Compare(b.Last, a.Last) })
	return list, r.omitted
}

// Summary folds the refusals that one program met for one reason, the most
// frequent first. Omitted is how many more there were, of kinds that were not kept.
func (r *Refusals) Summary() (list []Refused, omitted int) {
	type reason struct{ program, call, text, rule string }
	r.mutex.Lock()
	defer r.mutex.Unlock()
	places := map[reason]int{}
	for _, k := range slices.SortedFunc(maps.Keys(r.kinds), kind.compare) {
		refused := *r.kinds[k]
		why := reason{refused.Task.Program, "", refused.Why.Text, refused.Why.Rule}
		if row, ok := refused.Call.Syscall(); ok {
			why.call = row.Name
		}
		if i, ok := places[why]; ok {
			list[i].Count += refused.Count
			list[i].Last = max(list[i].Last, refused.Last)
			list[i].Why.Cure = withRule(list[i].Why.Cure, refused.Why.Cure)
			continue
		}
		places[why] = len(list)
		list = append(list, refused)
	}
	slices.SortStableFunc(list, func(a, b Refused) int { return cmp.Compare(b.Count, a.Count) })
	return list, r.omitted
}

// withRule adds the rule of a cure to another that is a rule, too: each allows a
// call with arguments of its own. maxRules bounds them.
func withRule(cure, other string) string {
	const head, maxRules = "syscalls:\n  rules:\n", 8
	rule, isRule := strings.CutPrefix(other, head)
	if !isRule || !strings.HasPrefix(cure, head) || strings.Contains(cure, rule) || strings.Count(cure, "\n") >= maxRules+2 {
		return cure
	}
	return cure + rule
}

// compare puts kinds in an order that does not change from run to run.
func (k kind) compare(other kind) int {
	return cmp.Or(
		cmp.Compare(k.program, other.program), cmp.Compare(k.arch, other.arch), cmp.Compare(k.nr, other.nr),
		slices.Compare(k.args[:], other.args[:]), cmp.Compare(k.memory, other.memory), cmp.Compare(k.errno, other.errno),
	)
}
