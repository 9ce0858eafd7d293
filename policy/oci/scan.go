package oci

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/policy"
)

// maxSize bounds a profile, in bytes, and maxDepth its nesting. Moby's default
// has 14,000 bytes and five levels.
const (
	maxSize  = 1 << 20
	maxDepth = 16
)

// scanner reads JSON values one after another and knows where each stands,
// which package encoding/json does not tell.
type scanner struct {
	file      string
	text      string
	pos       int
	line      int // of pos, from 1
	lineStart int // offset at which the line starts
	depth     int
}

// place is where the scanner is.
func (s *scanner) place() policy.Origin {
	return policy.Origin{File: s.file, Line: s.line, Column: s.pos - s.lineStart + 1}
}

func (s *scanner) problem(cure, format string, args ...any) error {
	return &policy.Problem{At: s.place(), What: fmt.Sprintf(format, args...), Cure: cure}
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

// skip passes over one value and says what it was.
func (s *scanner) skip() (string, error) {
	switch s.peek() {
	case '{':
		return "an object", s.members(func() error {
			if _, err := s.key(); err != nil {
				return err
			}
			_, err := s.skip()
			return err
		})
	case '[':
		return "a list", s.members(func() error {
			_, err := s.skip()
			return err
		})
	case '"':
		text, err := s.string()
		return strconv.Quote(text), err
	}
	return s.word()
}

// members reads an object or a list: each is called at the start of a member
// and reads it.
func (s *scanner) members(each func() error) error {
	if s.depth++; s.depth > maxDepth {
		return s.problem("a profile needs about five levels", "nested too deep")
	}
	end := s.text[s.pos] + 2 // '}' comes two after '{', ']' two after '['
	s.pos++
	for first := true; ; first = false {
		switch c := s.peek(); {
		case c == end:
			s.pos++
			s.depth--
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
		if err := each(); err != nil {
			return err
		}
	}
}

// key reads a member's key and the colon after it.
func (s *scanner) key() (string, error) {
	if s.peek() != '"' {
		return "", s.unexpected("a key in quotes")
	}
	key, err := s.string()
	if err != nil {
		return "", err
	}
	if s.peek() != ':' {
		return "", s.unexpected("':'")
	}
	s.pos++
	return key, nil
}

// word reads a number, true, false or null.
func (s *scanner) word() (string, error) {
	end := s.pos
	for end < len(s.text) && (s.text[end] >= 'a' && s.text[end] <= 'z' || strings.IndexByte("+-.0123456789E", s.text[end]) >= 0) {
		end++
	}
	text := s.text[s.pos:end]
	switch {
	case text == "true", text == "false", text == "null":
	case text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9'):
		return "", s.unexpected("a value")
	case !json.Valid([]byte(text)):
		return "", s.problem("write a number from 0", "not JSON: %q is no number", text)
	}
	s.pos = end
	return text, nil
}

// string reads a string. Those with more than plain ASCII are left to package
// encoding/json.
func (s *scanner) string() (string, error) {
	plain := true
	for i := s.pos + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			quoted := s.text[s.pos : i+1]
			if !plain {
				return s.unquote(quoted)
			}
			s.pos = i + 1
			return quoted[1 : len(quoted)-1], nil
		case c == '\\':
			plain = false
			i++
		case c < 0x20:
			return "", s.problem("close the quote, or write control characters as \\n or \\u0001", "not JSON: a string has a control character in it")
		case c >= 0x80:
			plain = false
		}
	}
	return "", s.problem("close the quote", "not JSON: a string does not end")
}

// unquote decodes the string that stands here.
func (s *scanner) unquote(quoted string) (string, error) {
	var text string
	if json.Unmarshal([]byte(quoted), &text) != nil {
		return "", s.problem("check what stands after each backslash", "not JSON: %s is no string", quoted)
	}
	s.pos += len(quoted)
	return text, nil
}
