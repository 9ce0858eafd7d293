package abi

// Arg is one argument of a call.
type Arg struct {
	// Name and Type are those of the kernel's own declaration ("filename",
	// "const char *"), with annotations such as __user left out.
	Name string
	Type string
	Kind Kind
	// Dir tells, of a pointer, who writes the memory behind it.
	Dir Dir
	// Flags names the values of a KindFlags, KindChoice, KindIoctl,
	// KindSignal or KindMode argument; it is nil for all others.
	Flags *FlagSet
	// Len is the index of the argument that gives the length, or -1. The unit
	// is bytes for a buffer, structure, address or signal set and elements for
	// an array or iovec. If that argument is a KindSizePointer, the length
	// stands in memory behind it.
	Len int8
	// Bits is how many low bits of the register the kernel looks at on a
	// 64-bit architecture: 16, 32 or 64. A 32-bit architecture has at most 32.
	Bits uint8
	// Signed tells whether those bits are a two's complement number. Values
	// with names (Flags is not nil) are not, unless a name is of one below 0.
	Signed bool
}

// Narrow is the value that the kernel sees in a 64-bit register: the low
// [Arg.Bits] bits, with the sign carried up if the argument is signed.
func (a *Arg) Narrow(register uint64) uint64 {
	unused := 64 - uint(a.Bits)
	if a.Signed {
		return uint64(int64(register<<unused) >> unused)
	}
	return register << unused >> unused
}

// Pointer tells whether the argument is the address of memory that the kernel
// reads or writes, so that its register says nothing about its content.
func (a *Arg) Pointer() bool { return a.Dir != ByValue }

// Dir is the direction of the memory behind a pointer, as the kernel sees it.
type Dir uint8

// ByValue is the direction of arguments that are no pointers.
const (
	ByValue Dir = iota
	In          // the kernel reads it
	Out         // the kernel writes it
	InOut       // the kernel reads it, then writes it
)

// String is "by value", "in", "out" or "in-out".
func (d Dir) String() string { return nameOf(d, "by value", "in", "out", "in-out") }

// Kind is what an argument means. The zero Kind is none; no row has it.
type Kind uint8

// Plain values.
const (
	KindInt      Kind = iota + 1 // a number with no more specific kind
	KindFD                       // a file descriptor
	KindDirFD                    // a directory's descriptor or AT_FDCWD, for the path argument after it
	KindFlags                    // bits of Arg.Flags
	KindChoice                   // one of Arg.Flags
	KindIoctl                    // an ioctl request; Arg.Flags names the common ones
	KindMode                     // file type and permissions
	KindDevice                   // a device number, major and minor
	KindPID                      // a process, thread or process group, sometimes negative or 0
	KindUID                      // a user; -1 is "leave as it is"
	KindGID                      // a group; -1 is "leave as it is"
	KindSignal                   // a signal's number
	KindOffset                   // a position or length in a file, in bytes
	KindSize                     // a size in bytes; on 32-bit architectures also half a 64-bit offset
	KindCount                    // a number of elements
	KindAddress                  // an address or handle that the kernel does not follow during the call
	KindID                       // a kernel object's number: watch, timer, System V object
	KindKey                      // a key's serial number or a System V key
	KindVariant                  // its meaning hangs on an earlier argument, such as a command
	KindReserved                 // flags of which the kernel defines none yet; it refuses all but 0
	KindUnused                   // the kernel does not look
)

// Pointers.
const (
	KindPath        Kind = iota + 64 // a path name, ending in NUL
	KindString                       // another text, ending in NUL
	KindStrings                      // an array of texts, ending in NULL
	KindBuffer                       // bytes
	KindStruct                       // one value of a fixed layout: Arg.Type names it
	KindArray                        // values of a fixed layout
	KindIovec                        // struct iovec, each the address and size of a buffer
	KindSockaddr                     // a socket address
	KindSignalSet                    // a signal set
	KindTimespec                     // seconds and nanoseconds; two of them for utimensat
	KindTimeval                      // seconds and microseconds; two of them for utimes
	KindSizePointer                  // a size in bytes behind a pointer
	KindFDPair                       // two new descriptors
)

// String is the kind in words: "path", "descriptor".
func (k Kind) String() string {
	if k >= KindPath {
		return nameOf(k-KindPath, "path", "string", "strings", "buffer", "struct", "array", "iovec", "sockaddr",
			"signal set", "timespec", "timeval", "size pointer", "descriptor pair")
	}
	return nameOf(k, "none", "int", "descriptor", "directory", "flags", "choice", "ioctl request", "mode", "device",
		"pid", "uid", "gid", "signal", "offset", "size", "count", "address", "id", "key", "variant", "reserved", "unused")
}

// ResultKind is what a call's return value means. An error is always an errno
// negated, between -4095 and -1.
type ResultKind uint8

// The results. The zero ResultKind is none; no row has it.
const (
	ResultStatus  ResultKind = iota + 1 // 0
	ResultFD                            // a new descriptor
	ResultSize                          // bytes moved
	ResultCount                         // elements or events
	ResultPID                           // a process, thread or process group
	ResultUID                           // a user
	ResultGID                           // a group
	ResultMode                          // permissions
	ResultAddress                       // an address
	ResultOffset                        // a position in a file
	ResultInt                           // another number
	ResultID                            // a kernel object's number
	ResultKey                           // a key's serial number
	ResultVariant                       // hangs on an argument, such as a command
	ResultNone                          // the call does not return
)

// String is the result in words: "status", "descriptor".
func (r ResultKind) String() string {
	return nameOf(r, "unknown", "status", "descriptor", "size", "count", "pid", "uid", "gid", "mode", "address", "offset",
		"int", "id", "key", "variant", "none")
}

func nameOf[T ~uint8](value T, names ...string) string {
	if int(value) >= len(names) {
		return "unknown"
	}
	return names[value]
}
