package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// writeVariable declares a variable that the compiler can lay out without code
// that runs at start-up: there are only constants and slices in it.
func writeVariable(b *bytes.Buffer, name string, value any) {
	fmt.Fprintf(b, "\nvar %s = ", name)
	writeLiteral(b, reflect.ValueOf(value), true)
	b.WriteByte('\n')
}

// writeLiteral writes v as a Go expression of package policy. Fields that are
// zero are left out; typed says whether the type must be written.
func writeLiteral(b *bytes.Buffer, v reflect.Value, typed bool) {
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Bool:
		fmt.Fprint(b, v.Bool())
	case reflect.Int, reflect.Int64:
		fmt.Fprint(b, v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		fmt.Fprintf(b, "%#x", v.Uint())
	case reflect.Slice:
		b.WriteString(typeName(v.Type()) + "{")
		for i := range v.Len() {
			if i > 0 || v.Index(i).Kind() == reflect.Struct {
				b.WriteString("\n")
			}
			writeLiteral(b, v.Index(i), false)
			b.WriteString(",")
		}
		b.WriteString("}")
	case reflect.Struct:
		if typed {
			b.WriteString(typeName(v.Type()))
		}
		b.WriteString("{")
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				b.WriteString(v.Type().Field(i).Name + ": ")
				writeLiteral(b, v.Field(i), true)
				b.WriteString(", ")
			}
		}
		b.WriteString("}")
	default:
		panic("mkpresets: no literal for " + v.Type().String())
	}
}

// typeName is the type as package policy writes it.
func typeName(t reflect.Type) string {
	name := strings.ReplaceAll(t.String(), "policy.", "")
	return strings.ReplaceAll(name, "github.com/callgate/callgate/", "")
}
