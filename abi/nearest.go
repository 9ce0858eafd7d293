package abi

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Nearest lists at most n names of calls that look like name, the likeliest
// first: for "unknown call opneat; did you mean openat?".
func Nearest(name string, n int) []string { return nearest(name, n, Names()) }

// NearestConstant lists at most n names of constants that look like name, as
// Nearest does of calls.
func NearestConstant(name string, n int) []string {
	return nearest(name, n, func(yield func(string) bool) {
		for i, c := range constants {
			if i > 0 && constants[i-1].name == c.name {
				continue // another architecture's value
			}
			if !yield(c.name) {
				return
			}
		}
	})
}

// nearest ranks names by how many edits away they are, and drops those further
// than a third of the name.
func nearest(name string, n int, names iter.Seq[string]) []string {
	type ranked struct {
		name  string
		edits int
	}
	var near []ranked
	limit := max(1, len(name)/3)
	for candidate := range names {
		if difference := len(candidate) - len(name); difference > limit || -difference > limit {
			continue
		}
		if edits := distance(strings.ToLower(name), strings.ToLower(candidate)); edits <= limit {
			near = append(near, ranked{candidate, edits})
		}
	}
	slices.SortStableFunc(near, func(a, b ranked) int { return cmp.Compare(a.edits, b.edits) })
	var best []string
	for _, r := range near[:min(n, len(near))] {
		best = append(best, r.name)
	}
	return best
}

// distance counts the edits between two strings: bytes put in, left out or
// replaced, and neighbours exchanged (optimal string alignment).
func distance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			replace := previous[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			current[j] = min(replace, previous[j]+1, current[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}

// suggestion is the tail of an error that says what may have been meant.
func suggestion(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}
