package sys

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Becoming is whom a thread becomes.
type Becoming struct {
	UID, GID     int   // -1 keeps the thread's own
	Groups       bool  // keep the supplementary groups
	Capabilities []int // what is kept, of what the thread has
}

// Become gives the calling thread a user's identity and takes all else from it,
// for good: it must be locked to its goroutine, which must never unlock it, so
// that the thread ends with it. The file mode mask is the thread's own then, but
// where a filter around callgate refuses that: it is the process's, still.
//
// The calls are made raw: package syscall's change every thread.
func Become(b Becoming) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil && err != unix.EPERM {
		return fmt.Errorf("unshare the file mode mask: %w", err)
	}
	// Kept, so that the capabilities named stay permitted when the user changes.
	if _, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0, 0, 0, 0); errno != 0 && errno != unix.EPERM {
		return fmt.Errorf("keep capabilities: %w", errno)
	}
	if !b.Groups {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
			return fmt.Errorf("drop supplementary groups: %w", errno)
		}
	}
	if b.GID >= 0 {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(b.GID), uintptr(b.GID), uintptr(b.GID)); errno != 0 {
			return fmt.Errorf("become group %d: %w", b.GID, errno)
		}
	}
	if b.UID >= 0 {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(b.UID), uintptr(b.UID), uintptr(b.UID)); errno != 0 {
			return fmt.Errorf("become user %d: %w", b.UID, errno)
		}
	}
	return keepCapabilities(b.Capabilities)
}

// keepCapabilities drops all but these from the thread, and with them what could
// bring any back.
func keepCapabilities(kept []int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0); errno != 0 {
		return fmt.Errorf("read capabilities: %w", errno)
	}
	var mask [2]uint32
	for _, c := range kept {
		mask[c/32] |= 1 << (c % 32)
	}
	for i := range data {
		data[i].Permitted &= mask[i]
		data[i].Effective = data[i].Permitted
		data[i].Inheritable = 0
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0); errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return nil
}

// SetThreadUmask sets the file mode mask of a thread that Become made its own.
func SetThreadUmask(mask int) { unix.RawSyscall(unix.SYS_UMASK, uintptr(mask), 0, 0) }
