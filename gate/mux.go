package gate

import (
	"context"
	"fmt"
	"slices"

	"github.com/callgate/callgate/abi"
)

// Mux is a Handler that routes each call, by name, to a handler of its own. Its
// routes must be complete before it serves.
type Mux struct {
	Otherwise Handler // serves what has no route; nil refuses it
	routes    map[string]Handler
}

// Route gives the call of this name, on every architecture, to h. It panics on
// a name that no architecture has, and on a second handler for one call.
func (m *Mux) Route(name string, h Handler) {
	if _, ok := abi.Lookup(name); !ok {
		panic(fmt.Sprintf("gate: no call %q", name))
	}
	if _, taken := m.routes[name]; taken {
		panic(fmt.Sprintf("gate: call %q has a handler", name))
	}
	if m.routes == nil {
		m.routes = map[string]Handler{}
	}
	m.routes[name] = h
}

// Has reports whether a call has a route.
func (m *Mux) Has(name string) bool { return m.routes[name] != nil }

// Handle answers a trap with the handler of its call.
func (m *Mux) Handle(ctx context.Context, t *Trap) Verdict {
	handler := m.Otherwise
	if row, ok := t.Syscall(); ok {
		if h, ok := m.routes[row.Name]; ok {
			handler = h
		}
	}
	if handler == nil {
		return Verdict{}
	}
	return handler.Handle(ctx, t)
}

// Calls lists the numbers of the calls that have a route, in order: what a
// filter must trap on the architecture.
func (m *Mux) Calls(arch abi.Arch) []abi.Sysno {
	var numbers []abi.Sysno
	for name := range m.routes {
		if number, ok := arch.Number(name); ok {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}
