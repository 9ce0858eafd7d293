package main

import "strings"

// list is a flag that may be repeated, each time adding a value. It is pflag's
// StringArray, which formats its empty default with a CSV writer at every
// start, a page of memory for each flag.
type list []string

// String returns the values as help would show a default.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// Type names the values in help and completions.
func (l *list) Type() string { return "stringArray" }
