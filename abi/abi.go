// Package abi is the vocabulary of the system-call boundary: a call is a row
// with a name, a number per architecture, argument kinds and the kernel
// version that brought it. Printers, filters, policies and learners all derive
// from these rows:
//
//	nr, ok := abi.AMD64.Number("openat")     // 257
//	call, ok := abi.AMD64.Syscall(nr)        // name, version, arguments, result
//	call.Args[2].Flags.Format(abi.AMD64, 2)  // "O_RDWR"
//	abi.ParseConstant("AF_NETLINK", abi.ARM64)
//
// A row's arguments say what the kernel sees. A filter compares registers,
// which hold 64 bits; [Arg.Bits] and [Arg.Signed] say how many of them count
// and [Arg.Narrow] applies that. A rule on ioctl's request that compares all 64
// bits, say, misses a request with a bit set above the 32nd, which the kernel
// never looks at.
//
// Some calls put their arguments into other registers on some architectures
// (clone's last two on amd64). [Arch.Syscall] returns the row that holds for
// the architecture, [Lookup] the one most of them share.
//
// The tables are generated from the kernel's own source and manual pages (see
// internal/cmd/mkabi); the package is pure and does no work at start-up.
package abi

//go:generate go run ../internal/cmd/mkabi generate -facts ../internal/cmd/mkabi -out .

// Sysno is a system call's number on one architecture. X32 numbers carry the
// x32 bit (1<<30), as the kernel reports them.
type Sysno uint32

// Call is one system call as the kernel's registers hold it.
type Call struct {
	Arch Arch
	Nr   Sysno
	Args [6]uint64
}

// Syscall is the call's row, or false if the architecture has no such number.
func (c Call) Syscall() (*Syscall, bool) { return c.Arch.Syscall(c.Nr) }
