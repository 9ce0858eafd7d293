package document

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/callgate/callgate/policy"
)

// layout is a document's text with its lines, for changes in place.
type layout struct {
	text   []byte
	starts []int // the offset of each line
}

func newLayout(text []byte) *layout {
	l := &layout{text: text, starts: []int{0}}
	for i, c := range text {
		if c == '\n' && i+1 < len(text) {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// holds reports whether all that was parsed stands where the parser says: it has
// been wrong about odd line ends.
func (l *layout) holds(n *node) bool {
	stands := func(at policy.Origin, text string) bool {
		if at.Line == 0 {
			return n.kind == mapping && len(n.fields) == 0 || n.kind == missing // an empty document
		}
		if at.Line < 1 || at.Line > len(l.starts) || at.Column < 1 || at.Column > len(l.line(at.Line)) {
			return false
		}
		rest := l.text[l.offset(at):]
		return bytes.HasPrefix(rest, []byte(text)) || len(rest) > 0 && strings.IndexByte("\"'|>", rest[0]) >= 0
	}
	if n.kind == scalar && !stands(n.at, n.text) {
		return false
	}
	for _, f := range n.fields {
		if !stands(f.at, f.key) || !l.holds(f.value) {
			return false
		}
	}
	return !slices.ContainsFunc(n.items, func(item *node) bool { return !l.holds(item) })
}

// line is a line's text without its end. Lines count from 1.
func (l *layout) line(n int) []byte {
	end := len(l.text)
	if n < len(l.starts) {
		end = l.starts[n]
	}
	return bytes.TrimRight(l.text[l.starts[n-1]:end], "\r\n")
}

// offset is where a place stands. Its column counts letters.
func (l *layout) offset(at policy.Origin) int {
	offset := l.starts[at.Line-1]
	for range min(at.Column-1, len(l.text)-offset) {
		_, size := utf8.DecodeRune(l.text[offset:])
		offset += size
	}
	return offset
}

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

func (l *layout) indent(at policy.Origin) int { return indentOf(l.line(at.Line)) }

// value is the offset of what follows a key in its line: the line's end if
// nothing does.
func (l *layout) value(key policy.Origin) int {
	at := l.offset(key)
	if at < len(l.text) && (l.text[at] == '"' || l.text[at] == '\'') {
		at = l.scalarEnd(at)
	}
	for at < len(l.text) && l.text[at] != ':' {
		at++
	}
	for at++; at < len(l.text) && (l.text[at] == ' ' || l.text[at] == '\t'); at++ {
	}
	return min(at, len(l.text))
}

func (l *layout) isFlow(at int) bool {
	return at < len(l.text) && (l.text[at] == '[' || l.text[at] == '{')
}

// blank reports whether a line says nothing: it is empty or a comment.
func blank(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	return len(line) == 0 || line[0] == '#'
}

// blockEnd is the offset behind the last line of a key's value.
func (l *layout) blockEnd(key policy.Origin) int {
	return l.end(key.Line, func(line []byte) bool {
		own, indent := l.indent(key), indentOf(line)
		return indent < own || indent == own && !bytes.HasPrefix(line[indent:], []byte("-"))
	})
}

// itemEnd is the offset behind the last line of an item that begins with a dash.
func (l *layout) itemEnd(n int) int {
	dash := indentOf(l.line(n))
	return l.end(n, func(line []byte) bool { return indentOf(line) <= dash })
}

// end is the offset behind the last line that says something before the first one
// that is beyond.
func (l *layout) end(n int, beyond func([]byte) bool) int {
	last := n
	for n++; n <= len(l.starts); n++ {
		line := l.line(n)
		if blank(line) {
			continue
		}
		if beyond(line) {
			break
		}
		last = n
	}
	if last < len(l.starts) {
		return l.starts[last]
	}
	return len(l.text)
}

// dashIndent is where the dashes of a key's list stand, or shall.
func (l *layout) dashIndent(f field) int {
	if f.value.kind == sequence && len(f.value.items) > 0 {
		return l.indent(f.value.items[0].at)
	}
	return l.indent(f.at)
}

// flowEnd is the offset behind the value that begins at an offset: a bracket's
// twin, or a scalar's end.
func (l *layout) flowEnd(at int) int {
	if !l.isFlow(at) {
		return l.scalarEnd(at)
	}
	depth := 0
	for at < len(l.text) {
		switch c := l.text[at]; {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return at + 1
			}
		case c == '"' || c == '\'':
			at = l.scalarEnd(at)
			continue
		case l.isComment(at):
			for at < len(l.text) && l.text[at] != '\n' {
				at++
			}
		}
		at++
	}
	return len(l.text)
}

func (l *layout) isComment(at int) bool {
	return l.text[at] == '#' && (at == 0 || strings.IndexByte(" \t\n", l.text[at-1]) >= 0)
}

// scalarEnd is the offset behind a text with or without quotes.
func (l *layout) scalarEnd(at int) int {
	if at < len(l.text) && (l.text[at] == '"' || l.text[at] == '\'') {
		quote := l.text[at]
		for at++; at < len(l.text) && l.text[at] != quote; at++ {
			if quote == '"' && l.text[at] == '\\' {
				at++
			}
		}
		return min(at+1, len(l.text))
	}
	end := at
	for at < len(l.text) && strings.IndexByte(",]}\n", l.text[at]) < 0 && !l.isComment(at) {
		if at++; strings.IndexByte(" \t\r", l.text[at-1]) < 0 {
			end = at
		}
	}
	return end
}

func (l *layout) replace(from, to int, with string) []byte {
	return bytes.Join([][]byte{l.text[:from], []byte(with), l.text[to:]}, nil)
}

// insert puts whole lines at the beginning of a line, or at the end.
func (l *layout) insert(at int, lines string) []byte {
	if at > 0 && l.text[at-1] != '\n' {
		lines = "\n" + lines
	}
	return l.replace(at, at, lines)
}

// insertFlow puts text before the closing bracket of what begins at an offset.
func (l *layout) insertFlow(open int, text string) []byte {
	closing := l.flowEnd(open) - 1
	at := closing
	for at > open+1 && strings.IndexByte(" \t\r\n", l.text[at-1]) >= 0 {
		at--
	}
	switch {
	case at == open+1: // nothing is in it
	case l.text[at-1] == ',':
		text = " " + text
	default:
		text = ", " + text
	}
	return l.replace(at, at, text)
}
