package oci

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	d := decoder{file: file}
	d.value(root, reflect.ValueOf(p).Elem(), "a profile")
	return p, d.problems.Err()
}

// decoder fills Go values from nodes by the json tags of their fields.
type decoder struct {
	file     string
	problems policy.Problems
}

func (d *decoder) add(at place, cure, format string, args ...any) {
	d.problems = append(d.problems, &policy.Problem{At: at.in(d.file), What: fmt.Sprintf(format, args...), Cure: cure})
}

func (d *decoder) value(n *node, v reflect.Value, name string) {
	if n.kind == 'n' {
		return // null is as if left out
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), name)
	case reflect.String:
		if d.want(n, '"', name, "a string") {
			v.SetString(n.text)
		}
	case reflect.Uint64:
		d.number(n, v, name)
	case reflect.Slice:
		if d.want(n, '[', name, "a list") && len(n.items) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
			for i := range n.items {
				d.value(&n.items[i], v.Index(i), name)
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
	if !d.want(n, '0', name, "a number") {
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
		*at.Addr().Interface().(*policy.Origin) = n.at.in(d.file)
	}
	for k := range n.fields {
		f := &n.fields[k]
		i := fieldIndex(v.Type(), f.key)
		if i < 0 {
			d.add(f.at, policy.Suggest(f.key, keys(v.Type())), "%s has no key %q", name, f.key)
			continue
		}
		d.value(&f.value, v.Field(i), f.key)
	}
}

// keysOf are the keys of each struct of a profile, in order of its fields.
var keysOf = sync.OnceValue(func() map[reflect.Type][]string {
	all := make(map[reflect.Type][]string)
	for _, t := range []reflect.Type{
		reflect.TypeFor[Profile](), reflect.TypeFor[ArchMap](), reflect.TypeFor[Syscall](), reflect.TypeFor[Arg](), reflect.TypeFor[Filter](),
	} {
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			all[t] = append(all[t], key)
		}
	}
	return all
})

// keys returns the keys that an object of a type may have.
func keys(t reflect.Type) []string {
	return slices.DeleteFunc(slices.Clone(keysOf()[t]), func(key string) bool { return key == "-" })
}

// fieldIndex returns the field of a key, or -1.
func fieldIndex(t reflect.Type, key string) int {
	if key == "-" {
		return -1
	}
	return slices.Index(keysOf()[t], key)
}
