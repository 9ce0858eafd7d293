package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// Descriptor is an open descriptor where an [os.File] would cost more than what is
// done with it: two calls to the kernel, a finalizer. Whoever has it closes it.
type Descriptor int

// Close closes it.
func (d Descriptor) Close() error { return os.NewSyscallError("close", unix.Close(int(d))) }

// Fd is its number.
func (d Descriptor) Fd() uintptr { return uintptr(d) }
