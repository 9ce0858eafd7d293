package policy

import "strconv"

// Origin is where a part of a policy was written: a line of a document, or a
// word of the command line ("--memory", with no line). The zero Origin is
// nowhere: the part was not written.
type Origin struct {
	File   string // as the user named it, or "preset default"
	Line   int    // from 1; 0 when the origin has no lines
	Column int    // from 1, in bytes; 0 when the origin has no lines
}

// String returns "mail.yaml:12", or the file alone when there is no line.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Position returns "mail.yaml:12:5", for errors that editors can follow.
func (o Origin) Position() string {
	if o.Column == 0 {
		return o.String()
	}
	return o.String() + ":" + strconv.Itoa(o.Column)
}

// Setting is a value that may be left out, with the place it was written. The
// zero Setting was left out, which is not the same as an empty value.
type Setting[T any] struct {
	Value T
	At    Origin
}

// Given returns a setting written at the named place, such as "--memory".
func Given[T any](place string, value T) Setting[T] {
	return Setting[T]{Value: value, At: Origin{File: place}}
}

// IsSet reports whether the setting was written at all.
func (s Setting[T]) IsSet() bool { return s.At != Origin{} }

// Name is a word of a list (a preset, a capability, a family …) and the place
// it was written. In a document that extends others, a leading '-' takes the
// word out of what they gave.
type Name struct {
	Text string
	At   Origin
}

// UnmarshalText reads a name.
func (n *Name) UnmarshalText(text []byte) error {
	n.Text = string(text)
	return nil
}

// MarshalText writes the name.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.Text), nil }
