package document

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"time"

	"github.com/callgate/callgate/policy"
)

// JSON writes a policy as JSON: the keys and words of the document, for other
// programs. What was left out is left out.
func JSON(p *policy.Policy) ([]byte, error) {
	var e jsonEncoder
	e.value(reflect.ValueOf(p).Elem())
	if e.err != nil {
		return nil, e.err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, e.out.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

type jsonEncoder struct {
	out bytes.Buffer
	err error
}

func (e *jsonEncoder) value(v reflect.Value) {
	t := v.Type()
	switch {
	case isSetting(t):
		e.value(v.FieldByName("Value"))
	case isScalar(t):
		e.scalar(v)
	case t.Kind() == reflect.Slice && isEntry(t.Elem()):
		e.many('{', v.Len(), func(i int) {
			key, value := v.Index(i).Interface().(interface{ MarshalEntry() (string, string) }).MarshalEntry()
			e.key(key)
			e.json(value)
		})
	case t.Kind() == reflect.Slice:
		e.many('[', v.Len(), func(i int) { e.value(v.Index(i)) })
	default:
		var set []int
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" && !isUnset(v.Field(i)) {
				set = append(set, i)
			}
		}
		e.many('{', len(set), func(i int) {
			e.key(t.Field(set[i]).Tag.Get("yaml"))
			e.value(v.Field(set[i]))
		})
	}
}

func (e *jsonEncoder) scalar(v reflect.Value) {
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil && e.err == nil {
			e.err = err
		}
		e.json(string(text))
	case time.Duration:
		e.json(x.String())
	default:
		e.json(x)
	}
}

// many writes n items between a bracket and its twin.
func (e *jsonEncoder) many(bracket byte, n int, item func(int)) {
	e.out.WriteByte(bracket)
	for i := range n {
		if i > 0 {
			e.out.WriteByte(',')
		}
		item(i)
	}
	e.out.WriteByte(bracket + 2) // '}' comes two after '{', ']' two after '['
}

func (e *jsonEncoder) key(key string) {
	e.json(key)
	e.out.WriteByte(':')
}

func (e *jsonEncoder) json(value any) {
	text, err := json.Marshal(value)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.out.Write(text)
}
