package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/callgate/callgate/policy"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxSize bounds a document, in bytes, and maxDepth its nesting: the parser's
// time grows with the square of either. The largest preset has 7,000 bytes.
const (
	maxSize  = 1 << 16
	maxDepth = 32
)

// node is a YAML value with its place: the part of YAML that policies use.
type node struct {
	kind   kind
	text   string // of a scalar, as written but for quotes
	plain  bool   // a scalar without quotes
	fields []field
	items  []*node
	at     policy.Origin
}

type field struct {
	key   string
	at    policy.Origin
	value *node
}

type kind uint8

const (
	missing kind = iota // nothing stands after the key
	scalar
	mapping
	sequence
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a mapping", "a list"}[k]
}

// parse reads one YAML document. A document with nothing in it is an empty
// mapping.
func parse(file string, text []byte) (root *node, err error) {
	whole := policy.Origin{File: file}
	if len(text) > maxSize {
		return nil, &policy.Problem{
			At:   whole,
			What: fmt.Sprintf("a document of %d bytes", len(text)), Cure: fmt.Sprintf("write at most %d", maxSize),
		}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, &policy.Problem{At: whole, What: "not a text in UTF-8", Cure: "save it as one"}
	}
	if depth(text) > maxDepth {
		return nil, &policy.Problem{At: whole, What: "nested too deep", Cure: "a policy needs about six levels"}
	}
	defer func() {
		// The library has panicked on malformed input; that is a syntax error to us.
		if r := recover(); r != nil {
			root, err = nil, &policy.Problem{At: whole, What: fmt.Sprintf("not YAML (%v)", r)}
		}
	}()
	parsed, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(file, err)
	}
	var bodies []ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return &node{kind: mapping, at: whole}, nil
	case 1:
		r := reader{file: file}
		return r.read(bodies[0], 0)
	}
	return nil, &policy.Problem{
		At:   origin(file, bodies[1].GetToken()),
		What: "a second document in one file", Cure: "write it to a file of its own, and name that under extends",
	}
}

// depth estimates how deep the parser would nest: by brackets, and by "- - -"
// at the start of a line. Brackets within quotes count too, so it may be high.
func depth(text []byte) int {
	brackets, dashes, deepest := 0, 0, 0
	starting := true
	for _, c := range text {
		switch c {
		case '\n':
			starting, dashes = true, 0
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(brackets-1, 0)
		case '-', '?':
			if starting {
				dashes++
			}
		}
		starting = starting && (c == '\n' || c == ' ' || c == '-' || c == '?')
		deepest = max(deepest, brackets, dashes)
	}
	return deepest
}

func syntaxProblem(file string, err error) error {
	var at interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &at) {
		return &policy.Problem{
			At: origin(file, at.GetToken()), What: "not YAML: " + at.GetMessage(),
			Cure: `check the indentation, and quote text that begins with @, *, &, !, %, { or [`,
		}
	}
	return &policy.Problem{At: policy.Origin{File: file}, What: "not YAML: " + err.Error()}
}

func origin(file string, t *token.Token) policy.Origin {
	if t == nil || t.Position == nil {
		return policy.Origin{File: file}
	}
	return policy.Origin{File: file, Line: t.Position.Line, Column: t.Position.Column}
}

type reader struct{ file string }

func (r reader) read(n ast.Node, depth int) (*node, error) {
	out := &node{at: origin(r.file, n.GetToken())}
	if depth > maxDepth {
		return nil, &policy.Problem{At: out.at, What: "nested too deep", Cure: "a policy needs about six levels"}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = mapping
		for _, v := range n.Values {
			if err := r.readField(out, v, depth); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *ast.MappingValueNode:
		out.kind = mapping
		return out, r.readField(out, n, depth)
	case *ast.SequenceNode:
		out.kind = sequence
		for _, v := range n.Values {
			item, err := r.read(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	case *ast.LiteralNode:
		out.kind, out.text = scalar, n.Value.Value
		return out, nil
	case *ast.StringNode:
		t := n.GetToken()
		out.kind, out.text, out.plain = scalar, n.Value, t.Type == token.StringType
		return out, nil
	case *ast.NullNode:
		// "~" is the home directory to a policy; only nothing is nothing.
		if n.GetToken().Value != "~" {
			return out, nil
		}
		out.kind, out.text, out.plain = scalar, "~", true
		return out, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text, out.plain = scalar, strings.TrimSpace(n.GetToken().Value), true
		return out, nil
	}
	return nil, &policy.Problem{
		At:   out.at,
		What: fmt.Sprintf("%q is YAML that policies do not use (%s)", n.GetToken().Value, strings.ToLower(n.Type().String())),
		Cure: "quote it if it is text",
	}
}

func (r reader) readField(out *node, v *ast.MappingValueNode, depth int) error {
	at := origin(r.file, v.Key.GetToken())
	if len(out.fields) == 0 {
		// A block mapping's own token is its first ':'.
		out.at = at
	}
	var key string
	switch k := v.Key.(type) {
	case *ast.StringNode:
		key = k.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		key = k.GetToken().Value
	default:
		return &policy.Problem{At: at, What: fmt.Sprintf("%q is not a key", v.Key.GetToken().Value), Cure: "quote it if it is text"}
	}
	for _, f := range out.fields {
		if f.key == key {
			return &policy.Problem{
				At: at, What: fmt.Sprintf("%q stands here twice", key),
				Cure: fmt.Sprintf("remove one; the first is at line %d", f.at.Line),
			}
		}
	}
	value, err := r.read(v.Value, depth+1)
	if err != nil {
		return err
	}
	out.fields = append(out.fields, field{key, at, value})
	return nil
}
