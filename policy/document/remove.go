package document

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/policy"
)

// Remove takes items of lists out of a document, which are named by their places,
// and changes nothing else. A comment that Amend wrote goes with its item. The error
// names what can't be removed; the text is then as it was.
func Remove(file string, text []byte, items []policy.Origin) ([]byte, error) {
	want, err := Parse(file, text)
	if err != nil {
		return text, err
	}
	root, err := parse(file, text)
	if err != nil {
		return text, err
	}
	gone := func(at policy.Origin) bool { return slices.Contains(items, at) }
	dropItems(reflect.ValueOf(want).Elem(), gone)
	var cuts []cut
	l := newLayout(text)
	if !l.holds(root) {
		return text, layoutError(file)
	}
	collect(l, root, policy.Origin{}, gone, &cuts)
	slices.SortFunc(cuts, func(a, b cut) int { return b.from - a.from }) // from the end, so that places stay
	out := slices.Clone(text)
	for _, c := range cuts {
		if c.from > c.to || c.to > len(out) {
			return text, layoutError(file)
		}
		out = slices.Replace(out, c.from, c.to, []byte(c.with)...)
	}
	if err := verify(file, out, want); err != nil {
		return text, err
	}
	return out, nil
}

// dropItems is Remove on values.
func dropItems(v reflect.Value, gone func(policy.Origin) bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				dropItems(v.Field(i), gone)
			}
		}
	case reflect.Slice:
		kept := reflect.MakeSlice(v.Type(), 0, v.Len())
		for i := range v.Len() {
			item := v.Index(i)
			if item.Kind() == reflect.Struct {
				if at := item.FieldByName("At"); at.IsValid() && gone(at.Interface().(policy.Origin)) {
					continue
				}
			}
			dropItems(item, gone)
			kept = reflect.Append(kept, item)
		}
		v.Set(kept)
	}
}

// cut is a part of a text and what takes its place.
type cut struct {
	from, to int
	with     string
}

// collect finds the cuts below a node, whose key stands at a place.
func collect(l *layout, n *node, key policy.Origin, gone func(policy.Origin) bool, cuts *[]cut) {
	for _, f := range n.fields {
		collect(l, f.value, f.at, gone, cuts)
	}
	if n.kind != sequence || len(n.items) == 0 {
		return
	}
	left := 0
	for _, item := range n.items {
		if !gone(item.at) {
			left++
			collect(l, item, policy.Origin{}, gone, cuts)
		}
	}
	flow := key.Line > 0 && l.isFlow(l.value(key))
	switch {
	case left == len(n.items):
	case left == 0 && flow:
		open := l.value(key)
		*cuts = append(*cuts, cut{open, l.flowEnd(open), "[]"})
	case flow:
		*cuts = append(*cuts, l.flowCuts(n.items, gone)...)
	default:
		if left == 0 {
			colon := l.value(key)
			for colon > 0 && l.text[colon-1] != ':' {
				colon--
			}
			*cuts = append(*cuts, cut{colon, colon, " []"})
		}
		*cuts = append(*cuts, l.blockCuts(n.items, gone)...)
	}
}

// flowCuts takes items out of brackets, each with the comma that goes with it.
func (l *layout) flowCuts(items []*node, gone func(policy.Origin) bool) (cuts []cut) {
	start := func(i int) int {
		at := l.offset(items[i].at)
		for items[i].kind == mapping && at > 0 && l.text[at] != '{' {
			at--
		}
		return at
	}
	keptAfter := false
	for i := len(items) - 1; i >= 0; i-- {
		switch {
		case !gone(items[i].at):
			keptAfter = true
		case keptAfter:
			cuts = append(cuts, cut{start(i), start(i + 1), ""})
		default:
			cuts = append(cuts, cut{l.flowEnd(start(i - 1)), l.flowEnd(start(i)), ""})
		}
	}
	return cuts
}

// isOwnComment reports whether Amend's caller wrote a line: "# git, sh: 12 times".
// A regular expression would be compiled at every start of the program.
func isOwnComment(line []byte) bool {
	text := strings.TrimLeft(string(line), " ")
	colon := strings.LastIndex(text, ": ")
	if !strings.HasPrefix(text, "# ") || colon < 0 {
		return false
	}
	number, many := strings.CutSuffix(text[colon+2:], " times")
	_, err := strconv.ParseUint(number, 10, 64)
	return number == "once" || many && err == nil
}

// blockCuts takes out whole lines.
func (l *layout) blockCuts(items []*node, gone func(policy.Origin) bool) (cuts []cut) {
	for _, item := range items {
		if !gone(item.at) {
			continue
		}
		line := item.at.Line
		end := l.itemEnd(line)
		if line > 1 && isOwnComment(l.line(line-1)) && strings.HasPrefix(strings.TrimLeft(string(l.line(line)), " "), "-") {
			line--
		}
		cuts = append(cuts, cut{l.starts[line-1], end, ""})
	}
	return cuts
}
