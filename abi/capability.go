package abi

import (
	"fmt"
	"slices"
)

// Capability is one of the privileges of capabilities(7), by its number in
// the kernel's sets.
type Capability uint8

// LastCapability is the highest that this package names. A newer kernel may
// have more: /proc/sys/kernel/cap_last_cap says.
const LastCapability = Capability(len(capabilityNames) - 1)

// String is the C name ("CAP_NET_ADMIN"), or "CAP_41" for one without.
func (c Capability) String() string {
	if c > LastCapability {
		return fmt.Sprintf("CAP_%d", uint8(c))
	}
	return capabilityNames[c]
}

// ParseCapability finds a capability by its C name ("CAP_NET_ADMIN").
func ParseCapability(name string) (Capability, bool) {
	i := slices.Index(capabilityNames[:], name)
	return Capability(max(i, 0)), i >= 0
}
