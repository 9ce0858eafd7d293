package policy

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a policy: where, what, and the cure.
type Problem struct {
	At   Origin
	What string // quotes the offending text
	Cure string // what to write instead; may be empty
}

// Error returns "mail.yaml:7:19: unknown key "call": did you mean "calls"?".
func (p *Problem) Error() string {
	var b strings.Builder
	if p.At != (Origin{}) {
		b.WriteString(p.At.Position() + ": ")
	}
	b.WriteString(p.What)
	if p.Cure != "" {
		b.WriteString(": " + p.Cure)
	}
	return b.String()
}

// Problems are the things wrong with a policy, a line each, in the order of the
// document. An empty list is no error; see [Problems.Err].
type Problems []*Problem

// Error returns the problems, a line each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Problems returns the list itself, and is there for errors.As.
func (ps Problems) Problems() Problems { return ps }

// Problems returns a list of the one.
func (p *Problem) Problems() Problems { return Problems{p} }

// Unwrap returns the problems, for errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Err returns the problems as an error, or nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// add appends a problem.
func (ps *Problems) add(at Origin, cure, format string, args ...any) {
	*ps = append(*ps, &Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

// Suggest returns a cure for a misspelt word: the nearest of the known words if
// one is near, then all of them.
func Suggest(word string, known []string) string {
	all := "write one of " + strings.Join(known, ", ")
	if len(known) > 24 {
		all = ""
	}
	near := nearest(word, known)
	switch {
	case near == "":
		return all
	case all == "":
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("did you mean %q? %s", near, all)
}

// nearest returns the known word with the smallest edit distance from word, or
// one that ends in it, or "" when none is closer than a third of its length.
func nearest(word string, known []string) string {
	for _, k := range known {
		if prefix, found := strings.CutSuffix(k, word); found && strings.HasSuffix(prefix, "_") {
			return k
		}
	}
	best, limit := "", len(word)/3+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d <= limit && (best == "" || d < limit) {
			best, limit = k, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace, or neighbours to
// swap, that turn a into b.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
