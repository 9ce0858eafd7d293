package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// list is a flag that may be repeated, each time adding a value. It is pflag's
// StringArray, which formats its empty default with a CSV writer at every
// start, a page of memory for each flag.
type list []string

var _ pflag.SliceValue = (*list)(nil)

// String returns the values as help would show a default.
func (l *list) String() string { return strings.Join(*l, ",") }

// Type names the values in help and completions.
func (l *list) Type() string { return "stringArray" }

// Set adds a value.
func (l *list) Set(value string) error { return l.Append(value) }

// Append adds a value.
func (l *list) Append(value string) error {
	*l = append(*l, value)
	return nil
}

// Replace sets the values.
func (l *list) Replace(values []string) error {
	*l = values
	return nil
}

// GetSlice returns the values.
func (l *list) GetSlice() []string { return *l }
