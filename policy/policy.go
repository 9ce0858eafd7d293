// Package policy says what a program may do: which system calls, files,
// network, limits, environment and descriptors it gets. A policy is a value; it
// is written as a YAML document (package policy/document reads and writes
// those), merged from several, checked, asked questions, and turned into a
// seccomp filter and the mounts of a jail.
//
// The package is pure: it opens nothing and knows nothing of the machine but
// what a [Target] tells it.
package policy

//go:generate go run ../internal/cmd/mkpresets

// Policy is what a program may do: one document as written, or several merged
// into one. Every part says where it was written. The zero Policy grants
// nothing: every call is refused and no file is visible.
type Policy struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Extends     []Name   `yaml:"extends"` // presets, or files relative to this one; empty once merged
	Baseline    Version  `yaml:"baseline"`
	Syscalls    Syscalls `yaml:"syscalls"`
	Files       Files    `yaml:"files"`
	Network     Network  `yaml:"network"`
	// Capabilities are those the program keeps, as capabilities(7) names them.
	Capabilities []Name      `yaml:"capabilities"`
	Limits       Limits      `yaml:"limits"`
	Environment  Environment `yaml:"environment"`
	// Descriptors are the numbers the program inherits; the others are closed.
	// Unset means 0, 1 and 2.
	Descriptors Setting[[]Descriptor] `yaml:"descriptors"`
	Walls       Walls                 `yaml:"walls"`
	OCI         OCI                   `yaml:"oci"`
	Tests       []Test                `yaml:"tests"`
}
