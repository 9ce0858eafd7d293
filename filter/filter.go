// Package filter turns rules about system calls into seccomp programs (classic
// BPF over struct seccomp_data), runs such programs in an interpreter, and
// prints them. It is pure: loading a program into the kernel is internal/sys's
// and internal/jail's job.
package filter

import "github.com/callgate/callgate/abi"

// Filter says what becomes of every call, before it is compiled.
type Filter struct {
	// Tables holds one table an architecture, the commonest first.
	Tables []Table
	// Foreign is for calls of an architecture that has no table. X32 calls,
	// those of amd64 numbered from abi.X32Bit up, are foreign unless abi.X32
	// has one; but -1 is amd64's: a tracer writes it to have a call skipped.
	Foreign Action
}

// Table is one architecture's part of a Filter.
type Table struct {
	Arch abi.Arch
	// Rules are tried in order among those of the same number: the first
	// whose conditions all hold decides.
	Rules []Rule
	// Default is for calls that no rule decides.
	Default Action
}

// Rule decides one call number when all its conditions hold.
type Rule struct {
	Nr   abi.Sysno
	When []Cond
	Then Action
}

// Cond compares one argument register. The zero Op is invalid.
type Cond struct {
	Arg    int // 0 to 5
	Op     Op
	Mask   uint64   // for MaskedEqual: (arg & Mask) == Values[0]
	Values []uint64 // one for comparisons, two (low, high, inclusive) for Range, any number for In
	Bits   int      // 64 (or zero), or 32: compare the low half only, as the kernel does for int arguments
	Signed bool     // order comparisons are of two's complement numbers of Bits bits
}
