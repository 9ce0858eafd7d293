package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Open returns the document that a file holds. The error names the file.
type Open func(file string) (*Policy, error)

// Load opens the named documents with all that they extend, and merges them:
// later names override earlier ones. A name with a '/' or a ".yaml" ending is a
// file, any other a preset; open may be nil where only presets are named.
//
// Nothing is checked but the names: see [Policy.Check].
func Load(open Open, names ...string) (*Policy, error) {
	return load(open, func(p *Policy) *Policy { return p }, names)
}

// LoadFor is Load with every path made absolute for the target before documents
// are merged, so that what one says of "./notes" overrides what another says of
// the same file by its whole path.
func LoadFor(t Target, open Open, names ...string) (*Policy, error) {
	return load(open, func(p *Policy) *Policy { return p.Expand(t) }, names)
}

func load(open Open, prepare func(*Policy) *Policy, names []string) (*Policy, error) {
	l := loader{open: open}
	for _, name := range names {
		if err := l.add(name, "", Origin{}); err != nil {
			return nil, err
		}
	}
	merged := new(Policy)
	for _, d := range l.order {
		merged = Merge(merged, prepare(d.policy))
	}
	return merged, nil
}

// IsFile reports whether a name in extends, or on the command line, names a
// file and not a preset.
func IsFile(name string) bool {
	return strings.Contains(name, "/") || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

type loader struct {
	open  Open
	chain []string // the documents being loaded, the outermost first
	order []opened // those loaded, what is extended before what extends it
}

type opened struct {
	name   string
	policy *Policy
}

// add loads a document, after what it extends, unless it is loaded already:
// what two documents extend is merged once, before both.
func (l *loader) add(name, dir string, at Origin) error {
	isFile := IsFile(name) // before its "./", which says so, is gone
	if isFile && !path.IsAbs(name) {
		name = path.Join(dir, name)
	}
	if i := slices.Index(l.chain, name); i >= 0 {
		return &Problem{
			At: at, Cure: "remove one of these extends",
			What: "extends in a circle: " + strings.Join(append(l.chain[i:], name), " extends "),
		}
	}
	if slices.ContainsFunc(l.order, func(d opened) bool { return d.name == name }) {
		return nil
	}
	p, err := l.find(name, isFile, at)
	if err != nil {
		return err
	}
	l.chain = append(l.chain, name)
	for _, base := range p.Extends {
		if err := l.add(base.Text, path.Dir(name), base.At); err != nil {
			return err
		}
	}
	l.chain = l.chain[:len(l.chain)-1]
	l.order = append(l.order, opened{name, p})
	return nil
}

func (l *loader) find(name string, isFile bool, at Origin) (*Policy, error) {
	if !isFile {
		if p := presetDocument(name); p != nil {
			return p, nil
		}
		return nil, &Problem{
			At: at, What: fmt.Sprintf("no preset %q", name),
			Cure: Suggest(name, Presets()) + "; a file's name has a / or ends in .yaml",
		}
	}
	if l.open == nil {
		return nil, &Problem{At: at, What: fmt.Sprintf("%q is a file", name), Cure: "name a preset"}
	}
	p, err := l.open(name)
	var own interface{ Problems() Problems }
	if err == nil || at == (Origin{}) || errors.As(err, &own) {
		return p, err // its problems say where they are
	}
	return nil, fmt.Errorf("%s: extends a file, whose name is relative to this one: %w", at.Position(), err)
}
