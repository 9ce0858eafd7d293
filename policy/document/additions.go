package document

import (
	"reflect"
	"slices"

	"github.com/callgate/callgate/policy"
)

// Additions returns what a small document, such as a [policy.Answer]'s Cure, says,
// for [Amend] to add it to another. Its rules come first there.
func Additions(text string) ([]Addition, error) {
	p, err := Parse("the addition", []byte(text))
	if err != nil {
		return nil, err
	}
	var out []Addition
	gather(reflect.ValueOf(p).Elem(), nil, &out)
	return out, nil
}

func gather(v reflect.Value, above []string, out *[]Addition) {
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		if name == "" || name == "-" || isUnset(f) {
			continue
		}
		key := append(slices.Clone(above), name)
		if f.Kind() == reflect.Struct && !isScalar(f.Type()) && !isSetting(f.Type()) {
			gather(f, key, out)
			continue
		}
		if isSetting(f.Type()) {
			f = f.FieldByName("Value")
		}
		if f.Kind() != reflect.Slice {
			*out = append(*out, Addition{Key: key, Value: flowText(f.Interface())})
			continue
		}
		for j := range f.Len() {
			_, rule := f.Index(j).Interface().(policy.Rule)
			*out = append(*out, Addition{Key: key, Value: f.Index(j).Interface(), First: rule})
		}
	}
}
