package policy

import (
	"fmt"
	"slices"
)

// Content is a file with a text of the policy's own, which takes the place of the
// machine's, if there is one.
type Content struct {
	Path Path // plain, and never optional
	Text string
	At   Origin
}

// UnmarshalEntry reads "/etc/hosts: text".
func (c *Content) UnmarshalEntry(key, value string) error {
	if err := c.Path.UnmarshalText([]byte(key)); err != nil {
		return err
	}
	switch {
	case c.Path.Optional:
		return fmt.Errorf("%q may be missing: the text is there in any case: remove the -", key)
	case c.Path.Pattern:
		return fmt.Errorf("%q has wildcards: a text is that of one file: name each", key)
	}
	c.Path.At, c.Text = c.At, value
	return nil
}

// MarshalEntry writes the file.
func (c Content) MarshalEntry() (key, value string) {
	text, _ := c.Path.MarshalText()
	return string(text), c.Text
}

// hasContent reports whether a path has a text.
func (f *Files) hasContent(path Path) bool {
	return slices.ContainsFunc(f.Content, func(c Content) bool { return c.Path.same(path) })
}

// contents complains of texts for what another line says something else of.
func (c *checker) contents(f *Files) {
	for i, file := range f.Content {
		name := cleanPath(file.Path.Text)
		if isStart(name) {
			c.problems.add(file.At, "name a file in it", "%s stands under content, and is a folder", file.Path.Text)
		}
		for _, list := range [...]struct {
			key   string
			paths []Path
		}{{"ro", f.ReadOnly}, {"rw", f.ReadWrite}, {"exec", f.Exec}, {"hidden", f.Hidden}} {
			for _, p := range list.paths {
				above := cleanPath(p.Text)
				switch {
				case p.same(file.Path):
					c.problems.add(file.At, "remove it from one of them: content says that it is readable", "%s is both %s (line %d) and content", file.Path.Text, list.key, p.At.Line)
				case list.key == "hidden" && !p.Pattern && isBelow(name, above):
					c.problems.add(file.At, "remove one of them", "%s stands under content, and lies in %s, which is hidden (line %d)", file.Path.Text, p.Text, p.At.Line)
				}
			}
		}
		if _, ok := f.program(file.Path); ok {
			c.problems.add(file.At, "remove it from one of them", "%s stands under digests and content", file.Path.Text)
		}
		for j, other := range f.Content {
			above := cleanPath(other.Path.Text)
			switch {
			case j < i && above == name:
				c.problems.add(file.At, "write it once", "%s stands under content twice", file.Path.Text)
			case above != name && !isStart(above) && isBelow(name, above):
				c.problems.add(file.At, "remove one of them", "%s stands under content, and lies in %s, which is a file (line %d)", file.Path.Text, other.Path.Text, other.At.Line)
			}
		}
		c.ownPlace(file.Path, "content")
	}
}

// isStart reports whether a document's paths begin there.
func isStart(name string) bool { return name == "/" || name == "." || name == "~" }
