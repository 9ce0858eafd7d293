package policy

import (
	"fmt"
	"slices"

	"github.com/callgate/callgate/internal/digest"
)

// Digest is the SHA-256 of a file's bytes.
type Digest = digest.Digest

// Program is a file that may be executed as the very bytes of a digest.
type Program struct {
	Path   Path // plain, and never optional
	Digest Digest
	At     Origin
}

// UnmarshalEntry reads "/usr/bin/git: sha256:…".
func (p *Program) UnmarshalEntry(key, value string) error {
	if err := p.Path.UnmarshalText([]byte(key)); err != nil {
		return err
	}
	switch {
	case p.Path.Optional:
		return fmt.Errorf("%q may be missing: a program of which the digest is known must be there: remove the -", key)
	case p.Path.Pattern:
		return fmt.Errorf("%q has wildcards: a digest is that of one file: name each", key)
	}
	p.Path.At = p.At
	var err error
	p.Digest, err = digest.Parse(value)
	return err
}

// MarshalEntry writes the program.
func (p Program) MarshalEntry() (key, value string) {
	text, _ := p.Path.MarshalText()
	return string(text), p.Digest.String()
}

// program returns the digest that a path must have, or false.
func (f *Files) program(path Path) (Program, bool) {
	i := slices.IndexFunc(f.Digests, func(p Program) bool { return p.Path.same(path) })
	if i < 0 {
		return Program{}, false
	}
	return f.Digests[i], true
}

// unexecutable returns the files with nothing to be executed: what stood under
// exec is readable, unless another list or key says what it is.
func (f *Files) unexecutable() *Files {
	plain := *f
	plain.ReadOnly, plain.Exec, plain.Digests = slices.Clone(f.ReadOnly), nil, nil
	add := func(p Path) {
		if placeKey(cleanPath(p.Text)) == "" && !slices.ContainsFunc(slices.Concat(plain.ReadOnly, f.ReadWrite), p.same) {
			plain.ReadOnly = append(plain.ReadOnly, p)
		}
	}
	for _, p := range f.Exec {
		add(p)
	}
	for _, p := range f.Digests {
		add(p.Path)
	}
	return &plain
}

// digests complains of programs that another list, or a second line, speaks of.
func (c *checker) digests(f *Files) {
	for i, p := range f.Digests {
		if slices.ContainsFunc(f.Digests[:i], func(o Program) bool { return o.Path.same(p.Path) }) {
			c.problems.add(p.At, "write it once", "%s stands under digests twice", p.Path.Text)
		}
		for _, list := range [...]struct {
			key   string
			paths []Path
		}{{"ro", f.ReadOnly}, {"rw", f.ReadWrite}, {"exec", f.Exec}, {"hidden", f.Hidden}} {
			if slices.ContainsFunc(list.paths, p.Path.same) {
				c.problems.add(p.At, "remove it from the other: digests says that it is readable and executable", "%s stands under %s and digests", p.Path.Text, list.key)
			}
		}
		c.ownPlace(p.Path, "digests")
	}
}
