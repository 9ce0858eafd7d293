package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/callgate/callgate/policy"
)

// maxSize bounds a profile, in bytes, and maxDepth its nesting. Moby's default
// has 14,000 bytes and four levels.
const (
	maxSize  = 1 << 20
	maxDepth = 16
)

// node is a JSON value with its place.
type node struct {
	kind   byte   // '{', '[', 's'tring, 'n'umber, 'b'oolean or '0' for null
	text   string // of a string or a number
	fields []field
	items  []*node
	at     policy.Origin
}

type field struct {
	key   string
	at    policy.Origin
	value *node
}

func (n *node) String() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 's':
		return fmt.Sprintf("%q", n.text)
	case 'n':
		return n.text
	case 'b':
		return "a boolean"
	}
	return "null"
}

// reader makes nodes of tokens.
type reader struct {
	file  string
	text  []byte
	lines []int // offsets at which lines start
	json  *json.Decoder
}

// parse reads one JSON value and nothing after it.
func parse(file string, text []byte) (*node, error) {
	if len(text) > maxSize {
		return nil, &policy.Problem{At: policy.Origin{File: file}, What: fmt.Sprintf("a profile of %d bytes", len(text)),
			Cure: fmt.Sprintf("write at most %d", maxSize)}
	}
	r := &reader{file: file, text: text, lines: []int{0}, json: json.NewDecoder(bytes.NewReader(text))}
	r.json.UseNumber()
	for i, c := range text {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.json.Token(); !errors.Is(err, io.EOF) {
		return nil, &policy.Problem{At: r.origin(r.start()), What: "text after the profile", Cure: "remove it"}
	}
	return n, nil
}

// origin returns the place of an offset.
func (r *reader) origin(offset int) policy.Origin {
	line := sort.SearchInts(r.lines, offset+1)
	return policy.Origin{File: r.file, Line: line, Column: offset - r.lines[line-1] + 1}
}

// start returns where the next token starts.
func (r *reader) start() int {
	i := int(r.json.InputOffset())
	for i < len(r.text) && bytes.IndexByte([]byte(" \t\r\n,:"), r.text[i]) >= 0 {
		i++
	}
	return i
}

func (r *reader) token() (json.Token, policy.Origin, error) {
	at := r.origin(min(r.start(), len(r.text)))
	t, err := r.json.Token()
	if err == nil {
		return t, at, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at = r.origin(max(0, min(int(syntax.Offset), len(r.text))-1))
		return nil, at, &policy.Problem{At: at, What: "not JSON: " + syntax.Error(), Cure: "check quotes, commas and brackets before this place"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, at, &policy.Problem{At: at, What: "not JSON: it ends too soon", Cure: "close every bracket and quote"}
	}
	return nil, at, &policy.Problem{At: at, What: "not JSON: " + err.Error()}
}

func (r *reader) value(depth int) (*node, error) {
	t, at, err := r.token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, &policy.Problem{At: at, What: "nested too deep", Cure: "a profile needs about four levels"}
	}
	n := &node{at: at}
	switch t := t.(type) {
	case json.Delim:
		n.kind = byte(t)
		if t == '{' {
			return n, r.object(n, depth)
		}
		return n, r.list(n, depth)
	case string:
		n.kind, n.text = 's', t
	case json.Number:
		n.kind, n.text = 'n', t.String()
	case bool:
		n.kind = 'b'
	default:
		n.kind = '0'
	}
	return n, nil
}

func (r *reader) object(n *node, depth int) error {
	for r.json.More() {
		t, at, err := r.token()
		if err != nil {
			return err
		}
		key, _ := t.(string) // the decoder has seen to it that keys are strings
		for _, f := range n.fields {
			if f.key == key {
				return &policy.Problem{At: at, What: fmt.Sprintf("%q stands here twice", key),
					Cure: fmt.Sprintf("remove one; the first is at line %d", f.at.Line)}
			}
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{key, at, v})
	}
	_, _, err := r.token()
	return err
}

func (r *reader) list(n *node, depth int) error {
	for r.json.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, v)
	}
	_, _, err := r.token()
	return err
}
