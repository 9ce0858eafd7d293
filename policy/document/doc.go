// Package document reads and writes policies as YAML, strictly: an unknown or
// repeated key, a value of the wrong type, an anchor or a tag is an error that
// says where it is and what to write instead.
package document
