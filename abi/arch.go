package abi

import "runtime"

// Arch is a system-call architecture: a numbering of calls together with an
// argument convention. The zero Arch is none and matches nothing.
type Arch uint8

// The architectures callgate runs on, then those it knows only to refuse.
const (
	AMD64 Arch = iota + 1
	ARM64
	RISCV64
	I386
	X32
	ARM
)

// X32Bit marks an x32 call among amd64 call numbers (__X32_SYSCALL_BIT in
// arch/x86/include/uapi/asm/unistd.h).
const X32Bit Sysno = 0x40000000

var arches = [...]struct {
	name  string
	oci   string
	audit uint32
}{
	AMD64:   {"amd64", "SCMP_ARCH_X86_64", 0xc000003e},
	ARM64:   {"arm64", "SCMP_ARCH_AARCH64", 0xc00000b7},
	RISCV64: {"riscv64", "SCMP_ARCH_RISCV64", 0xc00000f3},
	I386:    {"i386", "SCMP_ARCH_X86", 0x40000003},
	X32:     {"x32", "SCMP_ARCH_X32", 0xc000003e},
	ARM:     {"arm", "SCMP_ARCH_ARM", 0x40000028},
}

// String returns the architecture's name as Go spells it ("amd64"), or "none".
func (a Arch) String() string {
	if !a.known() {
		return "none"
	}
	return arches[a].name
}

// OCI returns the name the OCI runtime specification uses ("SCMP_ARCH_X86_64"),
// or "" for the zero Arch.
func (a Arch) OCI() string {
	if int(a) >= len(arches) {
		return ""
	}
	return arches[a].oci
}

// Audit returns the AUDIT_ARCH_* value that seccomp_data.arch holds
// (include/uapi/linux/audit.h). X32 shares AMD64's; see X32Bit.
func (a Arch) Audit() uint32 {
	if int(a) >= len(arches) {
		return 0
	}
	return arches[a].audit
}

// known tells whether a is one of the architectures above.
func (a Arch) known() bool { return a != 0 && int(a) < len(arches) }

// Companions are the other architectures whose calls a kernel of architecture a
// serves too, to the same process: a filter that knows only a's numbers leaves
// them open. A kernel may be built without them.
func (a Arch) Companions() []Arch {
	switch a {
	case AMD64:
		return []Arch{I386, X32}
	case ARM64:
		return []Arch{ARM}
	}
	return nil
}

// ParseArch reads an architecture's Go or OCI name.
func ParseArch(name string) (Arch, bool) {
	for a := AMD64; int(a) < len(arches); a++ {
		if name == arches[a].name || name == arches[a].oci {
			return a, true
		}
	}
	return 0, false
}

// Native is the architecture this program was built for, or zero where
// callgate has no table for it.
func Native() Arch {
	a, _ := ParseArch(runtime.GOARCH)
	return a
}
