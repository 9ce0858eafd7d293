// Package abi is the vocabulary of the system-call boundary: a call is a row
// with a name, a number per architecture, argument kinds and the kernel
// version that brought it. Printers, filters, policies and learners all derive
// from these rows. The tables are generated (see internal/cmd/mkabi); the
// package is pure and does no work at start-up.
package abi

// Sysno is a system call's number on one architecture. X32 numbers carry the
// x32 bit (1<<30), as the kernel reports them.
type Sysno uint32

// Call is one system call as the kernel's registers hold it.
type Call struct {
	Arch Arch
	Nr   Sysno
	Args [6]uint64
}
