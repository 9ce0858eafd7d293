package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// NewMemory returns zeroed memory that the collector doesn't manage. It is there
// until the process ends, or a script gives it up. The errors are the kernel's for
// mmap(2).
func NewMemory(size int) ([]byte, error) {
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	return memory, os.NewSyscallError("mmap", err)
}
