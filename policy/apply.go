package policy

import (
	"path"
	"slices"
	"strings"
)

// Apply returns the environment of the program, sorted by name, given the
// environment of whoever starts it; both are lists of "NAME=value".
func (e *Environment) Apply(environ []string) []string {
	var out []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if matchesAny(e.Keep, name) && !matchesAny(e.Drop, name) && !e.sets(name) {
			out = append(out, entry)
		}
	}
	for _, v := range e.Set {
		out = append(out, v.Name+"="+v.Value)
	}
	slices.Sort(out)
	return out
}

func (e *Environment) sets(name string) bool {
	return slices.ContainsFunc(e.Set, func(v Variable) bool { return v.Name == name })
}

func matchesAny(patterns []Name, name string) bool {
	return slices.ContainsFunc(patterns, func(p Name) bool {
		head, _, star := strings.Cut(p.Text, "*")
		if !star || !strings.HasPrefix(name, head) {
			return p.Text == name // most are plain names, and most others begin differently
		}
		ok, err := path.Match(p.Text, name)
		return ok && err == nil
	})
}
