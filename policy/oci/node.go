package oci

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/callgate/callgate/policy"
)

// maxSize bounds a profile, in bytes, and maxDepth its nesting. Moby's default
// has 14,000 bytes and five levels.
const (
	maxSize  = 1 << 20
	maxDepth = 16
)

// node is a JSON value with its place, which package encoding/json forgets.
type node struct {
	kind   byte   // '{', '[', '"', '0' for a number, 't' for true and false, 'n' for null
	text   string // of a string or a number
	fields []field
	items  []node
	at     place
}

type field struct {
	key   string
	at    place
	value node
}

// place is where a value starts, without the file that all of them are in.
type place struct{ line, column int32 }

func (p place) in(file string) policy.Origin {
	return policy.Origin{File: file, Line: int(p.line), Column: int(p.column)}
}

func (n *node) String() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return fmt.Sprintf("%q", n.text)
	}
	return n.text
}

// scanner reads nodes from text.
type scanner struct {
	file      string
	text      string
	pos       int
	line      int // of pos, from 1
	lineStart int // offset at which the line starts
	depth     int
}

// parse reads one JSON value and nothing after it.
func parse(file string, text []byte) (*node, error) {
	s := &scanner{file: file, text: string(text), line: 1}
	if len(text) > maxSize {
		return nil, &policy.Problem{
			At: policy.Origin{File: file}, What: fmt.Sprintf("a profile of %d bytes", len(text)),
			Cure: fmt.Sprintf("write at most %d", maxSize),
		}
	}
	n := new(node)
	if err := s.value(n); err != nil {
		return nil, err
	}
	if s.peek() != 0 || s.pos < len(s.text) {
		return nil, s.problem("remove it", "text after the profile")
	}
	return n, nil
}

func (s *scanner) place() place { return place{int32(s.line), int32(s.pos - s.lineStart + 1)} }

func (s *scanner) problem(cure, format string, args ...any) error {
	return &policy.Problem{At: s.place().in(s.file), What: fmt.Sprintf(format, args...), Cure: cure}
}

// unexpected is the error of a byte that JSON does not have here.
func (s *scanner) unexpected(want string) error {
	if s.pos >= len(s.text) {
		return s.problem("close every bracket and quote", "not JSON: it ends where %s is due", want)
	}
	return s.problem("check quotes, commas and brackets before it", "not JSON: %q where %s is due", s.text[s.pos], want)
}

// peek passes over white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case '\n':
			s.line, s.lineStart = s.line+1, s.pos+1
		case ' ', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) value(n *node) error {
	c := s.peek()
	n.kind, n.at = c, s.place()
	switch {
	case c == '{', c == '[':
		if s.depth++; s.depth > maxDepth {
			return s.problem("a profile needs about five levels", "nested too deep")
		}
		err := s.members(n)
		s.depth--
		return err
	case c == '"':
		var err error
		n.text, err = s.string()
		return err
	}
	n.text = s.word()
	switch {
	case n.text == "true", n.text == "false":
		n.kind = 't'
	case n.text == "null":
	case c == '-' || '0' <= c && c <= '9':
		n.kind = '0'
		if !json.Valid([]byte(n.text)) {
			return s.problem("write a number from 0", "not JSON: %q is no number", n.text)
		}
	default:
		return s.unexpected("a value")
	}
	s.pos += len(n.text)
	return nil
}

// word returns the bytes up to the next that cannot be in a number or a literal.
func (s *scanner) word() string {
	end := s.pos
	for end < len(s.text) && (s.text[end] >= 'a' && s.text[end] <= 'z' || strings.IndexByte("+-.0123456789E", s.text[end]) >= 0) {
		end++
	}
	return s.text[s.pos:end]
}

// members reads the fields of an object, or the items of a list.
func (s *scanner) members(n *node) error {
	end := n.kind + 2 // '}' comes two after '{', ']' two after '['
	s.pos++
	for first := true; ; first = false {
		switch c := s.peek(); {
		case c == end:
			s.pos++
			return nil
		case first:
		case c != ',':
			return s.unexpected(fmt.Sprintf("',' or %q", end))
		default:
			s.pos++
			if s.peek() == end {
				return s.unexpected("a value")
			}
		}
		var err error
		if n.kind == '{' {
			err = s.field(n)
		} else {
			n.items = append(n.items, node{})
			err = s.value(&n.items[len(n.items)-1])
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) field(n *node) error {
	if s.peek() != '"' {
		return s.unexpected("a key in quotes")
	}
	f := field{at: s.place()}
	var err error
	if f.key, err = s.string(); err != nil {
		return err
	}
	for _, other := range n.fields {
		if other.key == f.key {
			return &policy.Problem{
				At: f.at.in(s.file), What: fmt.Sprintf("%q stands here twice", f.key),
				Cure: fmt.Sprintf("remove one; the first is at line %d", other.at.line),
			}
		}
	}
	if s.peek() != ':' {
		return s.unexpected("':'")
	}
	s.pos++
	if err = s.value(&f.value); err != nil {
		return err
	}
	n.fields = append(n.fields, f)
	return nil
}

// string reads a string. Those with more than plain ASCII are left to package
// encoding/json.
func (s *scanner) string() (string, error) {
	plain := true
	for i := s.pos + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\\':
			plain = false
			i++
		case c == '"':
			quoted := s.text[s.pos : i+1]
			out := quoted[1 : len(quoted)-1]
			if !plain && json.Unmarshal([]byte(quoted), &out) != nil {
				return "", s.problem("check what stands after each backslash", "not JSON: %s is no string", quoted)
			}
			s.pos = i + 1
			return out, nil
		case c < 0x20:
			return "", s.problem("close the quote, or write control characters as \\n or \\u0001", "not JSON: a string has a control character in it")
		case c >= 0x80:
			plain = false
		}
	}
	return "", s.problem("close the quote", "not JSON: a string does not end")
}
