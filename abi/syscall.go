package abi

import (
	"cmp"
	"iter"
	"slices"
)

// Syscall is a row of the table: what a call is, wherever it is called.
type Syscall struct {
	// Name is the kernel's ("openat", "newfstatat").
	Name string
	// Since is the first kernel release with the call on any architecture. It
	// is zero for numbers that are reserved and never had a call.
	Since Version
	// Args has one entry for each argument the kernel reads, at most six. It
	// is shared and must not be changed.
	Args []Arg
	// Result is what the return value means when it is no errno.
	Result ResultKind
}

// Lookup finds a call by name. Where architectures differ in the order of
// arguments it returns amd64's row if amd64 has the call: see [Arch.Syscall].
func Lookup(name string) (*Syscall, bool) {
	i, found := findRow(name)
	if !found {
		return nil, false
	}
	return &syscalls[i], true
}

// findRow is the first row of a name, found in the hash table byName.
func findRow(name string) (int, bool) {
	slot := uint32(2166136261) // FNV-1a, written out: package hash/fnv would allocate
	for i := range len(name) {
		slot = (slot ^ uint32(name[i])) * 16777619
	}
	for ; ; slot++ {
		row := int(byName[slot%uint32(len(byName))]) - 1
		if row < 0 || syscalls[row].Name == name {
			return row, row >= 0
		}
	}
}

// Names yields the name of every call of every architecture, in order.
func Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range syscalls {
			if i > 0 && syscalls[i].Name == syscalls[i-1].Name {
				continue // a variant
			}
			if !yield(syscalls[i].Name) {
				return
			}
		}
	}
}

// Number is the call's number on the architecture, or false where it has none.
func (a Arch) Number(name string) (Sysno, bool) {
	_, nr, ok := a.Find(name)
	return nr, ok
}

// Find is the call's row and number on the architecture, or false where it has
// none.
func (a Arch) Find(name string) (*Syscall, Sysno, bool) {
	i, found := findRow(name)
	if !found || !a.known() {
		return nil, 0, false
	}
	for ; i < len(syscalls) && syscalls[i].Name == name; i++ {
		if nr := numbers[i][a-1]; nr >= 0 {
			return &syscalls[i], a.sysno(nr), true
		}
	}
	return nil, 0, false
}

// Syscall is the row of the call that has the number on the architecture, or
// false where none has. An x32 number needs its [X32Bit], and no other
// architecture's may have it.
func (a Arch) Syscall(nr Sysno) (*Syscall, bool) {
	if !a.known() {
		return nil, false
	}
	rows := byNumber[a]
	i, found := slices.BinarySearchFunc(rows, nr, func(row uint16, nr Sysno) int {
		return cmp.Compare(a.sysno(numbers[row][a-1]), nr)
	})
	if !found {
		return nil, false
	}
	return &syscalls[rows[i]], true
}

// Syscalls yields the architecture's calls in order of number.
func (a Arch) Syscalls() iter.Seq2[Sysno, *Syscall] {
	return func(yield func(Sysno, *Syscall) bool) {
		if !a.known() {
			return
		}
		for _, row := range byNumber[a] {
			if !yield(a.sysno(numbers[row][a-1]), &syscalls[row]) {
				return
			}
		}
	}
}

// sysno turns a number of the tables into one the kernel reports.
func (a Arch) sysno(nr int32) Sysno {
	if a == X32 {
		return Sysno(nr) | X32Bit
	}
	return Sysno(nr)
}
