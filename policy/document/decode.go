package document

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/callgate/callgate/policy"
)

// Parse reads one document. It neither follows extends nor judges what the
// document says; see [Load] and [policy.Policy.Check].
func Parse(file string, text []byte) (*policy.Policy, error) {
	root, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	p := new(policy.Policy)
	var d decoder
	d.value(root, reflect.ValueOf(p).Elem(), "a policy")
	return p, d.problems.Err()
}

// decoder fills Go values from nodes by the yaml tags of their fields, and
// collects every problem rather than stop at the first.
type decoder struct{ problems policy.Problems }

func (d *decoder) add(at policy.Origin, cure, format string, args ...any) {
	d.problems = append(d.problems, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

var (
	originType   = reflect.TypeFor[policy.Origin]()
	durationType = reflect.TypeFor[time.Duration]()
	entryType    = reflect.TypeFor[policy.Entry]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// value decodes n into v, which the document calls name.
func (d *decoder) value(n *node, v reflect.Value, name string) {
	t := v.Type()
	if v.Kind() == reflect.Struct && v.FieldByName("At").IsValid() {
		v.FieldByName("At").Set(reflect.ValueOf(n.at))
	}
	switch {
	case isSetting(t):
		d.value(n, v.FieldByName("Value"), name)
	case reflect.PointerTo(t).Implements(textType):
		if d.want(n, scalar, name) {
			d.text(n, v, name)
		}
	case t == durationType:
		if d.want(n, scalar, name) {
			d.duration(n, v, name)
		}
	case t.Kind() == reflect.Slice && reflect.PointerTo(t.Elem()).Implements(entryType):
		if d.want(n, mapping, name) {
			d.entries(n, v, name)
		}
	case t.Kind() == reflect.Slice:
		if d.want(n, sequence, name) {
			d.list(n, v, name)
		}
	case t.Kind() == reflect.Struct:
		if d.want(n, mapping, name) {
			d.fields(n, v, name)
		}
	default:
		if d.want(n, scalar, name) {
			d.basic(n, v, name)
		}
	}
}

// want complains unless n is of the wanted kind.
func (d *decoder) want(n *node, k kind, name string) bool {
	if n.kind == k {
		return true
	}
	cure := "write " + k.String()
	switch {
	case n.kind == missing:
		cure = "give it a value or remove the key"
	case k == sequence && n.kind == scalar:
		cure = fmt.Sprintf("write [%s]", n.text)
	case k == scalar && n.kind == mapping:
		cure = "write a single value, in quotes where it has a colon"
	case k == mapping:
		cure = `write "key: value" lines below it`
	}
	found := n.kind.String()
	if n.kind == scalar {
		found = strconv.Quote(n.text)
	}
	d.add(n.at, cure, "%s takes %s, not %s", name, k, found)
	return false
}

func (d *decoder) text(n *node, v reflect.Value, name string) {
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)); err != nil {
		d.add(n.at, "", "%s: %v", name, err)
	}
}

func (d *decoder) duration(n *node, v reflect.Value, name string) {
	wait, err := time.ParseDuration(n.text)
	if err != nil || wait <= 0 {
		d.add(n.at, "write a number and a unit, such as 60s or 1h30m", "%s: %q is not a time", name, n.text)
		return
	}
	v.SetInt(int64(wait))
}

func (d *decoder) entries(n *node, v reflect.Value, name string) {
	for _, f := range n.fields {
		if !d.want(f.value, scalar, name+"."+f.key) {
			continue
		}
		e := reflect.New(v.Type().Elem())
		e.Elem().FieldByName("At").Set(reflect.ValueOf(f.at))
		if err := e.Interface().(policy.Entry).UnmarshalEntry(f.key, f.value.text); err != nil {
			d.add(f.at, "", "%s: %v", name, err)
			continue
		}
		v.Set(reflect.Append(v, e.Elem()))
	}
}

func (d *decoder) list(n *node, v reflect.Value, name string) {
	if len(n.items) == 0 {
		return // where empty is not the same as left out, a Setting tells them apart
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(item, v.Index(i), name)
	}
}

func (d *decoder) fields(n *node, v reflect.Value, name string) {
	for _, f := range n.fields {
		i := fieldIndex(v.Type(), f.key)
		if i < 0 {
			d.add(f.at, policy.Suggest(f.key, keys(v.Type())), "%s has no key %q", name, f.key)
			continue
		}
		d.value(f.value, v.Field(i), f.key)
	}
}

func (d *decoder) basic(n *node, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		if n.plain && (n.text == "true" || n.text == "false") {
			v.SetBool(n.text == "true")
			return
		}
		d.add(n.at, "write true or false", "%s: %q is neither yes nor no", name, n.text)
	case reflect.Int:
		i, err := strconv.ParseInt(n.text, 10, 32)
		if err != nil || !n.plain {
			d.add(n.at, "write it without a unit and without quotes", "%s: %q is not a whole number", name, n.text)
			return
		}
		v.SetInt(i)
	default:
		panic("document: no decoder for " + v.Type().String())
	}
}

// isSetting reports whether t is a policy.Setting.
func isSetting(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(0).Name == "Value" && t.Field(1).Type == originType &&
		strings.HasPrefix(t.Name(), "Setting[")
}

// keys returns the keys that a mapping of type t may have, in the order of the
// type.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			names = append(names, key)
		}
	}
	return names
}

func fieldIndex(t reflect.Type, key string) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == key && key != "-" {
			return i
		}
	}
	return -1
}
