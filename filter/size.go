package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
)

// SizeError says that a filter needs more instructions than the kernel takes.
type SizeError struct {
	Instructions int           // needed; MaxInstructions are allowed
	Largest      []Contributor // the calls whose conditions need most, largest first
}

// Contributor is a call and what its conditions need.
type Contributor struct {
	Arch         abi.Arch
	Nr           abi.Sysno
	Rules        int
	Instructions int
}

// Error names the size, the limit and the largest contributors.
func (e *SizeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter needs %d instructions, the kernel takes at most %d", e.Instructions, MaxInstructions)
	for i, c := range e.Largest {
		separator := ", "
		if i == 0 {
			separator = "; shorten the conditions of "
		}
		fmt.Fprintf(&b, "%s%s %s (%d instructions for %d rules)", separator, c.Arch, callName(c.Arch, c.Nr), c.Instructions, c.Rules)
	}
	return b.String()
}

// largestShown is how many contributors a SizeError lists.
const largestShown = 3

// sizeError compiles each call alone to find those that need most.
func (f *Filter) sizeError(instructions int) error {
	e := &SizeError{Instructions: instructions}
	for i := range f.Tables {
		t := &f.Tables[i]
		for rules := range t.byNumber() {
			g := newGraph()
			id := g.call(t, rules, g.ret(t.Default))
			e.Largest = append(e.Largest, Contributor{t.Arch, t.Rules[rules[0]].Nr, len(rules), len(g.walk(id))})
		}
	}
	slices.SortStableFunc(e.Largest, func(a, b Contributor) int { return cmp.Compare(b.Instructions, a.Instructions) })
	e.Largest = e.Largest[:min(len(e.Largest), largestShown)]
	return e
}
