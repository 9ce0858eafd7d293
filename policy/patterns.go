package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Patterns are the patterns of a policy's files, resolved for a target. They
// narrow what plain paths grant, which the kernel's own walls decide.
//
// The deepest match decides, as among plain paths: a pattern that fits a folder
// fits all that lies in it. Of those that fit the same name a plain path wins,
// then the pattern with more characters that stand for themselves, then the one
// that allows less.
type Patterns struct{ list []pattern }

// pattern is one of them, or a plain path that is an exception to some.
type pattern struct {
	Match
	parts    []string // of its path, below the root
	literals int
}

// Match is what decides about a path.
type Match struct {
	Text   string // as the policy has it, absolute
	Access Access // what is left to do there
	Plain  bool   // a plain path, of which only the kernel's walls decide
	At     Origin
}

// Standing is where a folder stands among the patterns: all that they will make
// of what lies below it. It is a value that can be compared: two folders of the
// same standing can be exchanged without changing what any pattern means.
type Standing string

// Patterns returns the patterns in force on a target, or nil where there are none.
// Patterns fit real paths, so resolve follows the links of the plain folders
// that a pattern begins with; nil takes them as they are. The error is of type
// [Problems]: a pattern that lies too deep.
func (p *Policy) Patterns(t Target, resolve func(folder string) string) (*Patterns, error) {
	t = t.complete(p)
	ps := &Patterns{}
	var problems Problems
	add := func(list []Path, access Access) {
		for _, item := range list {
			if item.Pattern && !ps.add(t.expandPattern(item.Text), access, item.At, resolve) {
				problems.add(item.At, "write ** for some of its folders, or move it up", "the pattern %s lies more than %d folders deep", item.Text, maxPatternParts)
			}
		}
	}
	add(p.Files.ReadWrite, Read|Write)
	add(p.Files.ReadOnly, Read)
	add(p.Files.Hidden, 0)
	if len(ps.list)+len(problems) == 0 {
		return nil, nil
	}
	ps.except(p, t, resolve)
	return ps, problems.Err()
}

func (ps *Patterns) add(text string, access Access, at Origin, resolve func(string) string) bool {
	parts := strings.Split(strings.TrimPrefix(text, "/"), "/")
	if parts[len(parts)-1] == "**" { // what lies below, and not the folder itself
		parts = append(parts, "*")
	}
	plain := 0
	for plain < len(parts) && !isWild(parts[plain]) {
		parts[plain] = unescape(parts[plain])
		plain++
	}
	if plain > 0 && resolve != nil {
		folder := resolve("/" + strings.Join(parts[:plain], "/"))
		parts = slices.Concat(split(folder), parts[plain:])
		plain = len(split(folder))
	}
	for i := range plain {
		parts[i] = escape(parts[i])
	}
	ps.list = append(ps.list, pattern{Match{Text: text, Access: access, At: at}, parts, literals(parts)})
	return len(parts) <= maxPatternParts
}

// except adds the plain paths that a pattern fits: naming a path says more than
// fitting it.
func (ps *Patterns) except(p *Policy, t Target, resolve func(string) string) {
	only := *ps
	for _, m := range p.Mounts(t) {
		if m.Kind == Empty || m.At == (Origin{}) {
			continue
		}
		name := m.Path
		if resolve != nil {
			name = resolve(name)
		}
		parts := split(escape(name))
		if _, ok := only.Decide(name); ok && len(parts) <= maxPatternParts { // a deeper one stays no exception
			ps.list = append(ps.list, pattern{Match{Text: name, Access: Read | Write | Execute, Plain: true, At: m.At}, parts, literals(parts)})
		}
	}
}

// split returns the names of an absolute path.
func split(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

// Hide reports whether one of them hides what it fits: the others leave all of it
// to be read.
func (ps *Patterns) Hide() bool {
	return slices.ContainsFunc(ps.list, func(p pattern) bool { return p.Access == 0 })
}

// Decide returns the pattern that decides about an absolute, clean path, if any
// does.
func (ps *Patterns) Decide(name string) (Match, bool) {
	return ps.Of(ps.At(name))
}

// At returns the standing of an absolute, clean path.
func (ps *Patterns) At(name string) Standing {
	s := ps.Root()
	for _, part := range split(name) {
		s = ps.Enter(s, part)
	}
	return s
}

// Of returns the pattern that decides about what has this standing, if any does.
func (ps *Patterns) Of(s Standing) (Match, bool) {
	winner := int(s[0]) | int(s[1])<<8
	if winner == 0 {
		return Match{}, false
	}
	return ps.list[winner-1].Match, true
}

// Root is the standing of the root folder.
func (ps *Patterns) Root() Standing {
	s := make([]byte, 2+8*len(ps.list))
	for i := range ps.list {
		put(s, i, ps.list[i].skip(1))
	}
	return Standing(s)
}

// Enter returns the standing of a name in a folder.
func (ps *Patterns) Enter(folder Standing, name string) Standing {
	s := []byte(folder)
	best := -1
	for i := range ps.list {
		p := &ps.list[i]
		reached := p.step(get(folder, i), name)
		put(s, i, reached)
		if reached>>len(p.parts)&1 != 0 && (best < 0 || p.over(&ps.list[best])) {
			best = i
		}
	}
	if best >= 0 {
		s[0], s[1] = byte(best+1), byte((best+1)>>8)
	}
	return Standing(s)
}

// step moves on from the parts that may come next, a bit each, by one name.
func (p *pattern) step(at uint64, name string) (next uint64) {
	for i, part := range p.parts {
		switch {
		case at>>i&1 == 0:
		case part == "**":
			next |= 1 << i
		case fits(part, name):
			next |= 1 << (i + 1)
		}
	}
	return p.skip(next)
}

// skip passes over each "**", which may stand for no folder at all.
func (p *pattern) skip(at uint64) uint64 {
	for i, part := range p.parts {
		if at>>i&1 != 0 && part == "**" {
			at |= 1 << (i + 1)
		}
	}
	return at
}

// over reports whether a pattern wins over another that fits the same name.
func (p *pattern) over(other *pattern) bool {
	if p.Plain != other.Plain {
		return p.Plain
	}
	return cmp.Or(cmp.Compare(p.literals, other.literals), cmp.Compare(other.Access, p.Access)) > 0
}

func put(s []byte, i int, bits uint64) {
	for b := range 8 {
		s[2+8*i+b] = byte(bits >> (8 * b))
	}
}

func get(s Standing, i int) (bits uint64) {
	for b := range 8 {
		bits |= uint64(s[2+8*i+b]) << (8 * b)
	}
	return bits
}
