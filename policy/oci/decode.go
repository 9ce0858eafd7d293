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
	if len(text) > maxSize {
		return nil, &policy.Problem{
			At: policy.Origin{File: file}, What: fmt.Sprintf("a profile of %d bytes", len(text)),
			Cure: fmt.Sprintf("write at most %d", maxSize),
		}
	}
	p := new(Profile)
	d := decoder{scanner: scanner{file: file, text: string(text), line: 1}}
	if err := d.value(reflect.ValueOf(p).Elem(), "a profile"); err != nil {
		return nil, err
	}
	if d.peek(); d.pos < len(d.text) {
		return nil, d.problem("remove it", "text after the profile")
	}
	return p, d.problems.Err()
}

// decoder fills Go values by the json tags of their fields. Its methods return
// an error where the text is not JSON, and go on where it is no profile.
type decoder struct {
	scanner
	problems policy.Problems
}

func (d *decoder) add(at policy.Origin, cure, format string, args ...any) {
	d.problems = append(d.problems, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

func (d *decoder) value(v reflect.Value, name string) error {
	kind := d.peek()
	switch {
	case kind == 'n': // null is as if left out
		_, err := d.skip()
		return err
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), name)
	}
	switch v.Kind() {
	case reflect.String:
		if kind != '"' {
			return d.mismatch(name, "a string")
		}
		text, err := d.string()
		v.SetString(text)
		return err
	case reflect.Uint64:
		return d.number(v, name)
	case reflect.Slice:
		if kind != '[' {
			return d.mismatch(name, "a list")
		}
		return d.members(func() error {
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			return d.value(v.Index(v.Len()-1), name)
		})
	case reflect.Struct:
		if kind != '{' {
			return d.mismatch(name, "an object")
		}
		return d.object(v, name)
	}
	panic("oci: no decoder for " + v.Type().String())
}

// mismatch passes over a value of a kind that is not wanted.
func (d *decoder) mismatch(name, want string) error {
	at := d.place()
	found, err := d.skip()
	d.add(at, "write "+want, "%s takes %s, not %s", name, want, found)
	return err
}

func (d *decoder) number(v reflect.Value, name string) error {
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		return d.mismatch(name, "a number")
	}
	at := d.place()
	text, err := d.word()
	if err != nil {
		return err
	}
	i, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		d.add(at, "write one from 0 to 18446744073709551615", "%s: %s is not a whole number of 64 bits", name, text)
		return nil
	}
	v.SetUint(i)
	return nil
}

func (d *decoder) object(v reflect.Value, name string) error {
	keys := keysOf()[v.Type()]
	if at := v.FieldByName("At"); at.IsValid() {
		*at.Addr().Interface().(*policy.Origin) = d.place()
	}
	lines := make([]int, len(keys)) // at which each key stands, or 0
	return d.members(func() error {
		at := d.place()
		key, err := d.key()
		if err != nil {
			return err
		}
		i := slices.Index(keys, key)
		switch {
		case i < 0 || key == noKey:
			known := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == noKey })
			d.add(at, policy.Suggest(key, known), "%s has no key %q", name, key)
		case lines[i] > 0:
			d.add(at, fmt.Sprintf("remove one; the first is at line %d", lines[i]), "%q stands here twice", key)
		default:
			lines[i] = at.Line
			return d.value(v.Field(i), key)
		}
		_, err = d.skip()
		return err
	})
}

// noKey stands in a field's tag when no key is for it.
const noKey = "-"

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
