package policy

import (
	"fmt"
	"strings"

	"github.com/callgate/callgate/abi"
)

// patterns complains of patterns where they mean nothing, and of too many.
func (c *checker) patterns(f *Files) {
	for _, p := range f.Exec {
		if p.Pattern {
			c.problems.add(p.At, "name a folder or a file", "%s stands under exec, and is a pattern: the kernel decides what is executed, and knows none", p.Text)
		}
	}
	n := 0
	for _, list := range [...][]Path{f.ReadOnly, f.ReadWrite, f.Hidden} {
		for _, p := range list {
			if !p.Pattern {
				continue
			}
			if n++; n == maxPatterns+1 {
				c.problems.add(p.At, fmt.Sprintf("write at most %d", maxPatterns), "too many patterns")
			}
			switch parts := strings.Count(p.Text, "/") + 1; {
			case parts > maxPatternParts/2:
				c.problems.add(p.At, "write ** for any folders", "%s has %d parts, and a pattern at most %d", p.Text, parts, maxPatternParts/2)
			case isBelow(p.Text, "/proc"), isBelow(p.Text, "/dev"), isBelow(p.Text, "/sys"):
				c.problems.add(p.At, "write proc: or dev: private or none, or plain paths", "%s is a pattern in a place of the kernel's own files", p.Text)
			}
		}
	}
}

// byPattern answers for a path that the kernel's walls leave open, and callgate
// refuses.
func (j *Judge) byPattern(text, name string, want Access) (Answer, bool) {
	if j.patterns == nil {
		return Answer{}, false
	}
	match, ok := j.patterns.Decide(name)
	missing := want & (Read | Write) &^ match.Access
	if !ok || missing == 0 {
		return Answer{}, false
	}
	return match.Refusal(text, want), true
}

// Refusal is the answer to a call that wants more of a file than a pattern
// leaves: the path stands in it as the caller names it.
func (m Match) Refusal(text string, want Access) Answer {
	a := Answer{Wall: WallPatterns, At: m.At}
	if m.Access&Read == 0 {
		a.Action, a.Reason = Do(errnoAction(abi.EACCES)), fmt.Sprintf("%s is hidden by the pattern %s", printable(text), m.Text)
	} else {
		a.Action, a.Reason = Do(errnoAction(abi.EROFS)), fmt.Sprintf("%s is read-only by the pattern %s", printable(text), m.Text)
	}
	list := "ro"
	if want&Write != 0 {
		list = "rw"
	}
	a.Cure = fmt.Sprintf("files:\n  %s: [%s]\n", list, quoted("-"+escape(text))) // it need not be there yet
	return a
}

// Matches returns the patterns by their text.
func (ps *Patterns) Matches() map[string]Match {
	matches := map[string]Match{}
	if ps == nil {
		return matches
	}
	for _, p := range ps.list {
		if !p.Plain {
			matches[p.Text] = p.Match
		}
	}
	return matches
}
