package abi

import (
	"slices"
	"strings"
)

// constant is a named value of the kernel's interface on some architectures.
type constant struct {
	name   string
	value  uint64
	arches uint8 // a bit for each Arch
}

const allArches = 0xff

// ParseConstant is the value of a constant of the kernel's interface by its C
// name ("AF_NETLINK", "TIOCSTI", "CLONE_NEWUSER") on an architecture, or false
// if there is none. Negative constants (AT_FDCWD) have all 64 bits: see
// [Arg.Narrow].
func ParseConstant(name string, arch Arch) (uint64, bool) {
	i, _ := slices.BinarySearchFunc(constants[:], name, func(c constant, name string) int {
		return strings.Compare(c.name, name)
	})
	return constantAt(i, name, arch)
}

// constantAt is the value on an architecture of the constant whose first row
// is i.
func constantAt(i int, name string, arch Arch) (uint64, bool) {
	for ; i < len(constants) && constants[i].name == name; i++ {
		if constants[i].arches>>arch&1 != 0 {
			return constants[i].value, true
		}
	}
	return 0, false
}
