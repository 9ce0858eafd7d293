// Package jail starts a target behind its walls: namespaces, a root of its own,
// Landlock, capabilities, limits, a clean set of descriptors, and the filter
// last. A Spec is turned into a plan — two lists of raw system calls — and the
// plan is run by internal/sys; nothing is decided after the fork.
//
// A wall that can't be built stops the start, unless the Spec names it
// optional. The one fallback is stated, not silent: a user who may not create
// namespaces gets Landlock and the filter alone, and Process.Missing says which
// walls are absent and why.
package jail
