package diff

import (
	"slices"
	"strings"

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
		c := Change{Section: "files", What: path, From: words(x), To: words(y), Sense: sense(access(x), access(y)), A: x.At, B: y.At}
		if n := len(told); n > 0 && told[n-1].From == c.From && told[n-1].To == c.To {
			continue // as the directory it is in
		}
		told = append(told, c)
		s.add(c)
	}
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

// words says what may be done at a mount, and whose files they are.
func words(m policy.Mount) string {
	switch m.Kind {
	case 0:
		return "not there"
	case policy.Empty:
		return "hidden"
	}
	text := strings.Join(access(m), ", ")
	if m.Kind != policy.Bind {
		text += " (private)"
	}
	return text
}
