// Package diff says what one policy allows and another refuses: calls down to
// the arguments, files, network, limits and environment.
package diff

import (
	"cmp"
	"slices"

	"github.com/callgate/callgate/policy"
)

// Change is one thing that two policies, a and b, say differently.
type Change struct {
	Section string        `json:"section"` // as a document has it: "syscalls", "files", …
	What    string        `json:"what"`    // "ioctl", "/etc", "memory"
	Where   string        `json:"where"`   // of calls, the arguments: "cmd == TIOCSTI"; "" is all
	From    string        `json:"from"`    // what a says
	To      string        `json:"to"`      // what b says
	Sense   Sense         `json:"sense"`
	A       policy.Origin `json:"a"` // where a says so; zero when it says nothing
	B       policy.Origin `json:"b"`
}

// Sense tells whether b allows more than a.
type Sense int

// The senses.
const (
	Narrower Sense = -1 // b refuses what a allows
	Other    Sense = 0  // both, or neither
	Wider    Sense = 1  // b allows what a refuses
)

// MarshalText writes the sense as one word.
func (s Sense) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String returns "narrower", "other" or "wider".
func (s Sense) String() string { return [...]string{"narrower", "other", "wider"}[s+1] }

// Policies returns what b says differently from a for a target, a section after
// the other.
func Policies(a, b *policy.Policy, t policy.Target) ([]Change, error) {
	changes, err := calls(a, b, t)
	if err != nil {
		return nil, err
	}
	s := sections{a: a, b: b}
	s.files(t)
	s.network()
	s.words("capabilities", "", names(a.Capabilities), names(b.Capabilities), Wider)
	s.limits()
	s.environment()
	s.words("descriptors", "", descriptors(a), descriptors(b), Wider)
	s.words("walls", "optional", names(a.Walls.Optional), names(b.Walls.Optional), Wider)
	return append(changes, s.changes...), nil
}

// sense compares two sets of permissions.
func sense[T cmp.Ordered](a, b []T) Sense {
	lost := slices.ContainsFunc(a, func(x T) bool { return !slices.Contains(b, x) })
	won := slices.ContainsFunc(b, func(x T) bool { return !slices.Contains(a, x) })
	switch {
	case won && !lost:
		return Wider
	case lost && !won:
		return Narrower
	}
	return Other
}
