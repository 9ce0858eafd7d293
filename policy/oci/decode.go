package oci

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/callgate/callgate/policy"
)

// Parse reads a profile, strictly: a key that no profile has is an error, for
// what it says would be lost.
func Parse(file string, text []byte) (*Profile, error) {
	root, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	p := new(Profile)
	var d decoder
	d.value(root, reflect.ValueOf(p).Elem(), "a profile")
	return p, d.problems.Err()
}

// decoder fills Go values from nodes by the json tags of their fields.
type decoder struct{ problems policy.Problems }

func (d *decoder) add(at policy.Origin, cure, format string, args ...any) {
	d.problems = append(d.problems, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

func (d *decoder) value(n *node, v reflect.Value, name string) {
	if n.kind == '0' {
		return // null is as if left out
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), name)
	case reflect.String:
		if d.want(n, 's', name, "a string") {
			v.SetString(n.text)
		}
	case reflect.Uint64:
		d.number(n, v, name)
	case reflect.Slice:
		if d.want(n, '[', name, "a list") && len(n.items) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
			for i, item := range n.items {
				d.value(item, v.Index(i), name)
			}
		}
	case reflect.Struct:
		if d.want(n, '{', name, "an object") {
			d.object(n, v, name)
		}
	default:
		panic("oci: no decoder for " + v.Type().String())
	}
}

func (d *decoder) want(n *node, kind byte, name, what string) bool {
	if n.kind != kind {
		d.add(n.at, "write "+what, "%s takes %s, not %s", name, what, n)
	}
	return n.kind == kind
}

func (d *decoder) number(n *node, v reflect.Value, name string) {
	if !d.want(n, 'n', name, "a number") {
		return
	}
	i, err := strconv.ParseUint(n.text, 10, 64)
	if err != nil {
		d.add(n.at, "write one from 0 to 18446744073709551615", "%s: %s is not a whole number of 64 bits", name, n.text)
		return
	}
	v.SetUint(i)
}

func (d *decoder) object(n *node, v reflect.Value, name string) {
	if at := v.FieldByName("At"); at.IsValid() {
		at.Set(reflect.ValueOf(n.at))
	}
	for _, f := range n.fields {
		i := fieldIndex(v.Type(), f.key)
		if i < 0 {
			d.add(f.at, policy.Suggest(f.key, keys(v.Type())), "%s has no key %q", name, f.key)
			continue
		}
		d.value(f.value, v.Field(i), f.key)
	}
}

func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if key := keyOf(t, i); key != "-" {
			names = append(names, key)
		}
	}
	return names
}

func keyOf(t reflect.Type, i int) string {
	key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
	return key
}

func fieldIndex(t reflect.Type, key string) int {
	for i := range t.NumField() {
		if keyOf(t, i) == key && key != "-" {
			return i
		}
	}
	return -1
}
