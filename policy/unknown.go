package policy

import "strings"

// call returns a word without the '?' before it, which excuses a call, an
// architecture or a capability that this callgate does not know.
func (n Name) call() string { return strings.TrimPrefix(n.Text, "?") }

// excused reports whether the word need not be known.
func (n Name) excused() bool { return strings.HasPrefix(n.Text, "?") }

// unexcused returns the words that must be known.
func unexcused(names []Name) []Name {
	var out []Name
	for _, n := range names {
		if !n.excused() {
			out = append(out, n)
		}
	}
	return out
}
