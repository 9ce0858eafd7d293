package main

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/callgate/callgate/policy"
)

// schema is the part of JSON Schema that policies need, in the order in which
// it is written.
type schema struct {
	Schema      string     `json:"$schema,omitempty"`
	Comment     string     `json:"$comment,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Ref         string     `json:"$ref,omitempty"`
	Type        any        `json:"type,omitempty"` // a name or several
	AnyOf       []*schema  `json:"anyOf,omitempty"`
	Enum        []string   `json:"enum,omitempty"`
	Pattern     string     `json:"pattern,omitempty"`
	Minimum     *int       `json:"minimum,omitempty"`
	Maximum     *int       `json:"maximum,omitempty"`
	Items       *schema    `json:"items,omitempty"`
	MinItems    int        `json:"minItems,omitempty"`
	MaxItems    int        `json:"maxItems,omitempty"`
	Properties  properties `json:"properties,omitempty"`
	Names       *schema    `json:"propertyNames,omitempty"`
	Additional  any        `json:"additionalProperties,omitempty"` // false, or a schema
	Required    []string   `json:"required,omitempty"`
	Defs        properties `json:"$defs,omitempty"`
}

// properties are the keys of an object, in order.
type properties []property

type property struct {
	key   string
	value *schema
}

// MarshalJSON writes them as an object.
func (ps properties) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(p.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

type generator struct{ comments map[string]string }

var (
	textType  = reflect.TypeFor[encoding.TextUnmarshaler]()
	entryType = reflect.TypeFor[policy.Entry]()
)

// object returns the schema of a struct.
func (g *generator) object(t reflect.Type) *schema {
	s := &schema{Type: "object", Additional: false, Description: g.comments[t.Name()]}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		value := g.field(t, f)
		if text := g.comments[t.Name()+"."+f.Name]; text != "" {
			value.Description = text
		}
		s.Properties = append(s.Properties, property{key, value})
	}
	s.Required = required[t.Name()]
	return s
}

// field returns the schema of a field: a special one, or that of its type.
func (g *generator) field(owner reflect.Type, f reflect.StructField) *schema {
	if special, ok := special(owner.Name() + "." + f.Tag.Get("yaml")); ok {
		return special
	}
	return g.of(f.Type)
}

// of returns the schema of a type.
func (g *generator) of(t reflect.Type) *schema {
	if strings.HasPrefix(t.Name(), "Setting[") {
		return g.of(t.Field(0).Type)
	}
	if s, ok := scalar(t); ok {
		return s
	}
	switch {
	case t.Kind() == reflect.Slice && reflect.PointerTo(t.Elem()).Implements(entryType):
		return &schema{Type: "object", Additional: &schema{Type: anyScalar}}
	case t.Kind() == reflect.Slice:
		return &schema{Type: "array", Items: g.of(t.Elem())}
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textType):
		return g.object(t)
	}
	panic("mkschema: no schema for " + t.String())
}

// anyScalar is what YAML makes of words without quotes.
var anyScalar = []string{"string", "number", "boolean", "null"}

// scalar returns the schema of a type that is one word in a document.
func scalar(t reflect.Type) (*schema, bool) {
	zero := 0
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}, true
	case reflect.TypeFor[policy.Version]():
		return &schema{Type: []string{"string", "number"}, Pattern: `^[1-9][0-9]*\.[0-9]+$`}, true
	case reflect.TypeFor[policy.Size]():
		return &schema{Type: []string{"string", "integer"}, Pattern: `^[0-9]+[KMGT]?$`, Minimum: &zero}, true
	case reflect.TypeFor[policy.CPUs]():
		return &schema{Type: []string{"string", "number"}, Pattern: `^[0-9]+(\.[0-9]+)?$`}, true
	case reflect.TypeFor[policy.Place]():
		return &schema{Enum: []string{"private", "host", "none"}}, true
	case reflect.TypeFor[policy.NetworkMode]():
		return &schema{Enum: []string{"none", "host", "relay"}}, true
	case reflect.TypeFor[policy.Path]():
		// YAML takes "~" for null; to a policy it is the home directory.
		return &schema{Type: []string{"string", "null"}, Pattern: `^-?(/|~(/|$)|\.(/|$))`}, true
	case reflect.TypeFor[policy.Port](), reflect.TypeFor[policy.Descriptor]():
		return &schema{Type: []string{"integer", "string"}, Pattern: `^-?[0-9]+$`}, true
	case reflect.TypeFor[policy.Destination]():
		return &schema{Type: []string{"integer", "string"}, Pattern: `^-?((tcp|udp)/)?([^:]+:|\[[0-9a-fA-F:./]+\]:)?[0-9]+$`}, true
	case reflect.TypeFor[policy.Publication]():
		return &schema{Type: []string{"integer", "string"}, Pattern: `^-?(([0-9.]+:|\[[0-9a-fA-F:.]+\]:)?[0-9]+:)?[0-9]+$`}, true
	case reflect.TypeFor[policy.Operand]():
		return &schema{Type: []string{"string", "integer"}}, true
	case reflect.TypeFor[policy.Action]():
		return &schema{Ref: "#/$defs/action"}, true
	case reflect.TypeFor[policy.Name]():
		return &schema{Type: "string"}, true
	}
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}, true
	case reflect.Bool:
		return &schema{Type: "boolean"}, true
	case reflect.Int:
		return &schema{Type: "integer"}, true
	}
	return nil, false
}

// required are the keys that an object cannot do without.
var required = map[string][]string{
	"Rule":      {"then", "calls"},
	"Condition": {"arg"},
	"Test":      {"call", "then"},
	"OCIArch":   {"architecture"},
}
