package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/callgate/callgate/internal/digest"
	"github.com/callgate/callgate/policy"
)

// files compares what may be done at every path that either policy names.
func (s *sections) files(t policy.Target) {
	a, b := s.a.Mounts(t), s.b.Mounts(t)
	var paths []string
	for _, m := range slices.Concat(a, b) {
		if !slices.Contains(paths, m.Path) {
			paths = append(paths, m.Path)
		}
	}
	slices.Sort(paths)
	var told []Change // of directories that hold the path at hand
	for _, path := range paths {
		x, y := at(a, path), at(b, path)
		told = slices.DeleteFunc(told, func(c Change) bool { return !isBelow(path, c.What) })
		if words(x) == words(y) {
			continue
		}
		c := Change{Section: "files", What: path, From: words(x), To: words(y), Sense: sense(abilities(x), abilities(y)), A: x.At, B: y.At}
		if n := len(told); n > 0 && told[n-1].From == c.From && told[n-1].To == c.To {
			continue // as the directory it is in
		}
		told = append(told, c)
		s.add(c)
	}
	s.patterns(t)
}

// patterns compares what is left to do where either policy's patterns fit.
func (s *sections) patterns(t policy.Target) {
	matches := func(p *policy.Policy) map[string]policy.Match {
		patterns, _ := p.Patterns(t, nil) // what is wrong with them, their filters told
		return patterns.Matches()
	}
	a, b := matches(s.a), matches(s.b)
	for _, text := range slices.Sorted(maps.Keys(both(a, b))) {
		x, hasX := a[text]
		y, hasY := b[text]
		c := Change{Section: "files", What: text, From: patternWords(x, hasX), To: patternWords(y, hasY), A: x.At, B: y.At}
		if c.From == c.To {
			continue
		}
		c.Sense = sense(patternAccess(x, hasX), patternAccess(y, hasY))
		s.add(c)
	}
}

func both(a, b map[string]policy.Match) map[string]policy.Match {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// patternAccess is what a pattern leaves to do: everything, where it is none.
func patternAccess(m policy.Match, is bool) []string {
	if !is {
		return access(policy.Mount{Access: policy.Read | policy.Write})
	}
	return access(policy.Mount{Access: m.Access})
}

func patternWords(m policy.Match, is bool) string {
	switch {
	case !is:
		return "no pattern"
	case m.Access == 0:
		return "hidden"
	}
	return strings.Join(access(policy.Mount{Access: m.Access}), ", ")
}

// at returns the mount that decides about a path: the most specific one.
func at(mounts []policy.Mount, path string) policy.Mount {
	var found policy.Mount
	for _, m := range mounts {
		if isBelow(path, m.Path) && len(m.Path) >= len(found.Path) {
			found = m
		}
	}
	return found
}

// isBelow reports whether path is dir or lies in it.
func isBelow(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// access returns what may be done, as a list to compare.
func access(m policy.Mount) []string {
	var out []string
	for _, bit := range []struct {
		access policy.Access
		word   string
	}{{policy.Read, "read"}, {policy.Write, "write"}, {policy.Execute, "execute"}} {
		if m.Access&bit.access != 0 {
			out = append(out, bit.word)
		}
	}
	return out
}

// abilities is access, where executing a file whatever is in it is more than
// executing just what a digest tells.
func abilities(m policy.Mount) []string {
	out := access(m)
	if m.Kind == policy.Text {
		return []string{words(m)} // another text is neither more nor less
	}
	if m.Access&policy.Execute != 0 && m.Digest.IsZero() {
		out = append(out, "execute whatever is there")
	}
	return out
}

// words says what may be done at a mount, and whose files they are.
func words(m policy.Mount) string {
	switch m.Kind {
	case 0:
		return "not there"
	case policy.Empty:
		return "hidden"
	case policy.Text:
		return fmt.Sprintf("read as a text of %d bytes, %s", len(m.Text), digest.Sum([]byte(m.Text)))
	}
	text := strings.Join(access(m), ", ")
	if m.Kind != policy.Bind {
		text += " (private)"
	}
	if !m.Digest.IsZero() {
		text += " as " + m.Digest.String()
	}
	return text
}
