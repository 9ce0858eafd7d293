// Package probe finds out what this kernel lets this user do. Each feature is
// tried once, when first asked for, by doing what callgate would do with it:
// versions lie, since distributions port features back and containers take
// them away. The same answer serves the code that needs the feature, the tests
// that skip without it, and `callgate doctor`.
//
// A probe changes nothing in its process: what it must change, it changes on a
// thread or in a child that then ends.
package probe

import (
	"errors"
	"fmt"
	"sync"
)

// ErrMissing is wrapped by every error of [Feature.Check].
var ErrMissing = errors.New("not available here")

// Feature is something a kernel, or those who set it up, may not offer.
type Feature struct {
	Name  string // "user namespaces"
	Group Group
	For   string // what callgate uses it for
	Lost  string // what falls away without it
	Since string // "Linux 5.12": the first kernel that has it, "" if every one callgate runs on
	Full  bool   // a full jail needs it

	// Probe tries the feature. It must be safe to call from any goroutine.
	Probe func() Finding
	// Cure says what would help against the error; nil for the common advice.
	Cure func(err error, here Surroundings) string

	once    sync.Once
	finding Finding
}

// Group sorts features for a reader.
type Group string

// The groups, in the order `callgate doctor` prints them.
const (
	Kernel     Group = "kernel"
	Namespaces Group = "namespaces"
	Filter     Group = "filter"
	Landlock   Group = "landlock"
	Cgroups    Group = "cgroups"
	Terminal   Group = "terminal"
)

// Finding is what a probe saw. The zero Finding is: all there.
type Finding struct {
	Detail string // what there is, in a word or two: "ABI 7"
	Lacks  string // what a newer or differently set up kernel would add, "" if nothing
	Err    error  // why the feature is missing altogether
}

// Error is a missing feature, why, and what would help.
type Error struct {
	Feature string
	Err     error
	Cure    string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v: %v (%s)", e.Feature, ErrMissing, e.Err, e.Cure)
}

// Unwrap lets errors.Is find both ErrMissing and the cause.
func (e *Error) Unwrap() []error { return []error{ErrMissing, e.Err} }

// Check returns nil if the feature can be used, if only in part, and otherwise
// an [Error]. The first call probes; later ones remember.
func (f *Feature) Check() error {
	finding := f.Find()
	if finding.Err == nil {
		return nil
	}
	return &Error{Feature: f.Name, Err: finding.Err, Cure: f.cure(finding.Err, Here())}
}

// Find returns what the probe saw. The first call probes; later ones remember.
func (f *Feature) Find() Finding {
	f.once.Do(func() { f.finding = f.Probe() })
	return f.finding
}

func (f *Feature) cure(err error, here Surroundings) string {
	if f.Cure != nil {
		if cure := f.Cure(err, here); cure != "" {
			return cure
		}
	}
	return commonCure(f.Since, err, here)
}

// found turns a plain error into a Finding.
func found(err error) Finding { return Finding{Err: err} }
