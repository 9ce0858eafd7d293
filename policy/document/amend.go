package document

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/callgate/callgate/policy"
)

// Addition is what Amend adds to a document.
type Addition struct {
	Key     []string // where: "files", "ro"
	Value   any      // of the type that a list at the key has, or a text that becomes its single value
	Comment string   // one line, for whoever reads it; left out within brackets
	First   bool     // before all others of its list, as a rule must stand that is to decide
}

// EmptyList is the Value of a list that is to be there with nothing in it.
const EmptyList = emptyList("[]")

type emptyList string

// Amend adds lines to a document, and changes none of those that are there but
// single values that are given anew. The error names what can't be added to; the
// text is then as it was.
func Amend(file string, text []byte, additions []Addition) ([]byte, error) {
	want, err := Parse(file, text)
	if err != nil {
		return text, err
	}
	out := text
	for len(additions) > 0 {
		key := additions[0].Key
		same := func(a Addition) bool { return slices.Equal(a.Key, key) }
		var together []Addition
		for _, a := range additions {
			if same(a) {
				together = append(together, a)
				a.apply(want)
			}
		}
		additions = slices.DeleteFunc(slices.Clone(additions), same)
		if out, err = amend(file, out, together); err != nil {
			return text, err
		}
	}
	if err := verify(file, out, want); err != nil {
		return text, err
	}
	return out, nil
}

// apply is the addition to the value of a document, for verify.
func (a Addition) apply(p *policy.Policy) {
	v := reflect.ValueOf(p).Elem()
	for _, key := range a.Key {
		v = v.Field(fieldIndex(v.Type(), key))
	}
	if isSetting(v.Type()) {
		v.FieldByName("At").Set(reflect.ValueOf(policy.Origin{File: "added"}))
		v = v.FieldByName("Value")
	}
	if a.Value == any(EmptyList) {
		return
	}
	if v.Kind() == reflect.Slice {
		added := reflect.Append(reflect.Zero(v.Type()), reflect.ValueOf(a.Value))
		if a.First {
			v.Set(reflect.AppendSlice(added, v))
		} else {
			v.Set(reflect.AppendSlice(v, added))
		}
		return
	}
	new(decoder).value(&node{kind: scalar, text: a.Value.(string)}, v, "")
}

// verify compares a changed document with what it should say. Text is changed by
// where its parts stand, and there is more to YAML than people write.
func verify(file string, text []byte, want *policy.Policy) error {
	got, err := Parse(file, text)
	if err != nil {
		return fmt.Errorf("change %s: %w: write its lists a line an entry", file, err)
	}
	gotText, err := Marshal(got)
	if err != nil {
		return err
	}
	wantText, err := Marshal(want)
	if err != nil {
		return err
	}
	if !bytes.Equal(gotText, wantText) {
		return layoutError(file)
	}
	return nil
}

func layoutError(file string) error {
	return fmt.Errorf("change %s: its layout is one that can't be changed safely: write its lists a line an entry", file)
}

// amend makes the additions to one key.
func amend(file string, text []byte, additions []Addition) ([]byte, error) {
	root, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	key := additions[0].Key
	l := newLayout(text)
	if !l.holds(root) {
		return nil, layoutError(file)
	}
	section, indent, end := root, 0, len(text)
	for depth, name := range key {
		i := slices.IndexFunc(section.fields, func(f field) bool { return f.key == name })
		if i < 0 {
			return l.insert(end, block(key[depth:], indent, additions)), nil
		}
		f := section.fields[i]
		at := l.value(f.at)
		last := depth == len(key)-1
		switch {
		case last && additions[0].single():
			return l.replace(at, l.flowEnd(at), flowText(additions[0].Value)), nil
		case l.isFlow(at) && last && additions[0].First && len(f.value.items) > 0:
			return l.replace(at+1, at+1, flowItems(additions)+", "), nil
		case l.isFlow(at) && last:
			return l.insertFlow(at, flowItems(additions)), nil
		case l.isFlow(at) && f.value.has(key[depth+1]):
			section = f.value
			continue
		case l.isFlow(at):
			return l.insertFlow(at, flowFields(key[depth+1:], additions)), nil
		case last && additions[0].First && len(f.value.items) > 0:
			first := f.value.items[0].at
			return l.insert(l.starts[first.Line-1], lines(l.indent(first), additions)), nil
		case last:
			dash := l.dashIndent(f)
			return l.insert(l.blockEnd(f.at), lines(dash, additions)), nil
		}
		end = l.blockEnd(f.at)
		section = f.value
		indent = l.indent(f.at) + 2
		if len(section.fields) > 0 {
			indent = l.indent(section.fields[0].at)
		}
	}
	panic("document: an addition without a key")
}

func (n *node) has(key string) bool {
	return slices.ContainsFunc(n.fields, func(f field) bool { return f.key == key })
}

// single reports whether the value is written behind its key.
func (a Addition) single() bool {
	_, text := a.Value.(string)
	return text || a.Value == any(EmptyList)
}

// block writes the keys that are missing, and the additions below them.
func block(keys []string, indent int, additions []Addition) string {
	var b strings.Builder
	for i, key := range keys {
		b.WriteString(strings.Repeat(" ", indent) + key + ":")
		if i == len(keys)-1 && additions[0].single() {
			b.WriteString(" " + flowText(additions[0].Value))
		}
		b.WriteByte('\n')
		if i < len(keys)-1 {
			indent += 2
		}
	}
	if additions[0].single() {
		return b.String()
	}
	return b.String() + lines(indent, additions)
}

// lines writes each addition as an item of a list.
func lines(indent int, additions []Addition) string {
	var b strings.Builder
	margin := strings.Repeat(" ", indent)
	for _, a := range additions {
		v := reflect.ValueOf(a.Value)
		if isScalar(v.Type()) {
			b.WriteString(margin + "- " + flowText(a.Value))
			if a.Comment != "" {
				b.WriteString(" # " + a.Comment)
			}
			b.WriteByte('\n')
			continue
		}
		if a.Comment != "" {
			b.WriteString(margin + "# " + a.Comment + "\n")
		}
		e := new(encoder)
		e.item(v, margin)
		b.WriteString(e.out.String() + "\n")
	}
	return b.String()
}

func flowText(value any) string {
	if value == any(EmptyList) {
		return string(EmptyList)
	}
	e := new(encoder)
	e.column = -1 << 30 // no line breaks
	e.flow(reflect.ValueOf(value), "")
	return e.out.String()
}

func flowItems(additions []Addition) string {
	var items []string
	for _, a := range additions {
		items = append(items, flowText(a.Value))
	}
	return strings.Join(items, ", ")
}

// flowFields writes missing keys within brackets.
func flowFields(keys []string, additions []Addition) string {
	value := "[" + flowItems(additions) + "]"
	if additions[0].single() {
		value = flowText(additions[0].Value)
	}
	for i := len(keys) - 1; i > 0; i-- {
		value = "{" + keys[i] + ": " + value + "}"
	}
	return keys[0] + ": " + value
}
