package sys

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CapSet is a set of capabilities: bit n stands for capability n
// (include/uapi/linux/capability.h).
type CapSet uint64

// Has tells whether the set holds capability n.
func (s CapSet) Has(n int) bool { return n >= 0 && n < 64 && s>>n&1 == 1 }

// With returns the set with capability n added; n is 0 to 63.
func (s CapSet) With(n int) CapSet { return s | 1<<n }

// The capabilities that namespaces need where there is no user namespace to
// give them (include/uapi/linux/capability.h).
const (
	capSetPCap  = 8  // to empty the bounding set
	capNetAdmin = 12 // to bring a network's loopback up
	capSysAdmin = 21 // to make them, and to mount
)

// MakesNamespaces tells whether the set suffices to make and to furnish every
// namespace without a user namespace. A container may well have a part of it.
func (s CapSet) MakesNamespaces() bool {
	return s.Has(capSysAdmin) && s.Has(capNetAdmin) && s.Has(capSetPCap)
}

// Capabilities are a thread's five sets, as capabilities(7) names them.
type Capabilities struct {
	Effective, Permitted, Inheritable, Bounding, Ambient CapSet
}

// CapHeader is struct __user_cap_header_struct: the first argument of capget
// and capset. Pid 0 is the calling thread.
type CapHeader struct {
	Version uint32
	Pid     int32
}

// CapVersion is the layout with 64 capabilities (_LINUX_CAPABILITY_VERSION_3,
// Linux 2.6.26), which every kernel callgate runs on has.
const CapVersion uint32 = unix.LINUX_CAPABILITY_VERSION_3

// CapData is the second argument of capget and capset: two 32-bit words of
// each set, low word first.
type CapData [2]struct {
	Effective, Permitted, Inheritable uint32
}

// Data lays out the three sets capset takes; the bounding and ambient sets
// have calls of their own (prctl).
func (c Capabilities) Data() (d CapData) {
	for i := range d {
		shift := 32 * i
		d[i].Effective = uint32(c.Effective >> shift)
		d[i].Permitted = uint32(c.Permitted >> shift)
		d[i].Inheritable = uint32(c.Inheritable >> shift)
	}
	return d
}

// EffectiveCapabilities returns what the calling thread may do now.
func EffectiveCapabilities() (CapSet, error) {
	header := CapHeader{Version: CapVersion}
	var d CapData
	_, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&d)), 0)
	return CapSet(d[0].Effective) | CapSet(d[1].Effective)<<32, errnoErr(errno)
}

// OwnCapabilities returns the calling thread's sets.
func OwnCapabilities() (c Capabilities, err error) {
	header := CapHeader{Version: CapVersion}
	var d CapData
	_, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&d)), 0)
	if errno != 0 {
		return c, errno
	}
	for i := range d {
		shift := 32 * i
		c.Effective |= CapSet(d[i].Effective) << shift
		c.Permitted |= CapSet(d[i].Permitted) << shift
		c.Inheritable |= CapSet(d[i].Inheritable) << shift
	}
	for n := range CapLast() + 1 {
		if prctlTrue(unix.PR_CAPBSET_READ, uintptr(n), 0) {
			c.Bounding = c.Bounding.With(n)
		}
		if prctlTrue(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(n)) {
			c.Ambient = c.Ambient.With(n)
		}
	}
	return c, nil
}

// SetCapabilities sets the calling thread's effective, permitted and
// inheritable sets. EPERM: a set would hold more than the thread may have.
// Lock the goroutine to its thread first.
func SetCapabilities(c Capabilities) error {
	header := CapHeader{Version: CapVersion}
	d := c.Data()
	_, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&d)), 0)
	return errnoErr(errno)
}

// RaiseAmbient adds capability n to the calling thread's ambient set. EPERM: it
// is not both permitted and inheritable, or a securebit forbids it.
func RaiseAmbient(n int) error {
	return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(n), 0, 0)
}

// CapLast returns the number of the kernel's newest capability, what
// /proc/sys/kernel/cap_last_cap holds. It asks the kernel itself, since a
// confined process may have no /proc: a capability is known if prctl takes it.
var CapLast = sync.OnceValue(func() int {
	low, high := 0, 63
	for low < high {
		middle := (low + high + 1) / 2
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(middle), 0, 0, 0); err != nil {
			high = middle - 1
		} else {
			low = middle
		}
	}
	return low
})

func prctlTrue(option int, arg2, arg3 uintptr) bool {
	r, err := unix.PrctlRetInt(option, arg2, arg3, 0, 0)
	return err == nil && r == 1
}
