package document

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/callgate/callgate/policy"
)

// width is where lines break between the items of a list, in bytes.
const width = 100

// Marshal writes a policy as a document that [Parse] reads back to an equal
// one, but for the origins.
func Marshal(p *policy.Policy) ([]byte, error) {
	e := new(encoder)
	e.block(reflect.ValueOf(p).Elem(), "")
	return []byte(e.out.String()), e.err
}

type encoder struct {
	out    strings.Builder
	column int
	err    error
}

func (e *encoder) write(s string) {
	e.out.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		e.column, s = 0, s[i+1:]
	}
	e.column += len(s)
}

// block writes a struct as lines of "key: value".
func (e *encoder) block(v reflect.Value, indent string) {
	for i := range v.NumField() {
		key, f := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		if key == "" || key == "-" || isUnset(f) {
			continue
		}
		e.write(indent + key + ":")
		t := f.Type()
		switch {
		case t.Kind() == reflect.Struct && !isScalar(t) && !isSetting(t):
			e.write("\n")
			e.block(f, indent+"  ")
			continue
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && !isScalar(t.Elem()) && !isEntry(t.Elem()):
			for j := range f.Len() {
				e.write("\n")
				e.item(f.Index(j), indent)
			}
		default:
			e.write(" ")
			e.flow(f, indent+"  ")
		}
		e.write("\n")
	}
}

// item writes a struct of a list: in one line if it fits, or else a line a key.
func (e *encoder) item(v reflect.Value, indent string) {
	line := new(encoder)
	line.flow(v, "")
	if text := line.out.String(); len(indent)+len(text) <= width && !strings.Contains(text, "\n") {
		e.write(indent + "- " + text)
		return
	}
	lines := new(encoder)
	lines.block(v, indent+"  ")
	e.write(indent + "- " + strings.TrimSuffix(lines.out.String()[len(indent)+2:], "\n"))
}

// flow writes a value within a line, or within several when it is long.
func (e *encoder) flow(v reflect.Value, indent string) {
	t := v.Type()
	switch {
	case isSetting(t):
		e.flow(v.FieldByName("Value"), indent)
	case isScalar(t):
		e.scalar(v)
	case t.Kind() == reflect.Slice && isEntry(t.Elem()):
		e.items("{}", v.Len(), indent, func(i int) {
			key, value := v.Index(i).Interface().(interface{ MarshalEntry() (string, string) }).MarshalEntry()
			e.write(quote(key) + ": " + quote(value))
		})
	case t.Kind() == reflect.Slice:
		e.items("[]", v.Len(), indent, func(i int) { e.flow(v.Index(i), indent+" ") })
	default:
		var set []int
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" && !isUnset(v.Field(i)) {
				set = append(set, i)
			}
		}
		e.items("{}", len(set), indent, func(i int) {
			e.write(t.Field(set[i]).Tag.Get("yaml") + ": ")
			e.flow(v.Field(set[i]), indent+" ")
		})
	}
}

// items writes n items between brackets.
func (e *encoder) items(brackets string, n int, indent string, item func(int)) {
	e.write(brackets[:1])
	for i := range n {
		if i > 0 {
			if e.column > width-20 {
				e.write(",\n" + indent + " ")
			} else {
				e.write(", ")
			}
		}
		item(i)
	}
	e.write(brackets[1:])
}

func (e *encoder) scalar(v reflect.Value) {
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil && e.err == nil {
			e.err = err
		}
		e.write(quote(string(text)))
	case time.Duration:
		e.write(x.String())
	default:
		switch v.Kind() {
		case reflect.String:
			e.write(quote(v.String()))
		case reflect.Bool:
			e.write(strconv.FormatBool(v.Bool()))
		default:
			e.write(strconv.FormatInt(v.Int(), 10))
		}
	}
}

func isScalar(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(textType) || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice
}

func isEntry(t reflect.Type) bool { return reflect.PointerTo(t).Implements(entryType) }

// isUnset reports whether a field was left out: of the sections of a document,
// whether all of their fields were.
func isUnset(v reflect.Value) bool {
	t := v.Type()
	switch {
	case isSetting(t):
		return v.FieldByName("At").IsZero()
	case t.Kind() == reflect.Slice:
		return v.Len() == 0
	case t.Kind() == reflect.Struct && !isScalar(t):
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" && !isUnset(v.Field(i)) {
				return false
			}
		}
		return true
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	return v.IsZero()
}

// quote writes text so that YAML reads it back as the same text. Other readers
// of YAML take 5.10 without quotes for 5.1.
func quote(text string) string {
	if _, err := strconv.ParseFloat(text, 64); isPlain(text) && (err != nil || !strings.Contains(text, ".")) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\x` + string("0123456789abcdef"[r>>4]) + string("0123456789abcdef"[r&15]))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlain reports whether text means itself to YAML without quotes, inside
// brackets too.
func isPlain(text string) bool {
	if text == "" || strings.EqualFold(text, "null") || strings.HasPrefix(text, "--") || text == "-" {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("_./~-", c) >= 0:
		case i > 0 && strings.IndexByte("*@+=|()", c) >= 0:
		default:
			return false
		}
	}
	return true
}
