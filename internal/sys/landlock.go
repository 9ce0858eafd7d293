package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock file-system rights (include/uapi/linux/landlock.h). The comment
// after each names the ABI that brought it; ABI 1 came with Linux 5.13.
const (
	LandlockExecute     uint64 = unix.LANDLOCK_ACCESS_FS_EXECUTE      // 1
	LandlockWriteFile   uint64 = unix.LANDLOCK_ACCESS_FS_WRITE_FILE   // 1
	LandlockReadFile    uint64 = unix.LANDLOCK_ACCESS_FS_READ_FILE    // 1
	LandlockReadDir     uint64 = unix.LANDLOCK_ACCESS_FS_READ_DIR     // 1
	LandlockRemoveDir   uint64 = unix.LANDLOCK_ACCESS_FS_REMOVE_DIR   // 1
	LandlockRemoveFile  uint64 = unix.LANDLOCK_ACCESS_FS_REMOVE_FILE  // 1
	LandlockMakeChar    uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR    // 1
	LandlockMakeDir     uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_DIR     // 1
	LandlockMakeReg     uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_REG     // 1
	LandlockMakeSock    uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_SOCK    // 1
	LandlockMakeFifo    uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_FIFO    // 1
	LandlockMakeBlock   uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK   // 1
	LandlockMakeSym     uint64 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM     // 1
	LandlockRefer       uint64 = unix.LANDLOCK_ACCESS_FS_REFER        // 2: Linux 5.19
	LandlockTruncate    uint64 = unix.LANDLOCK_ACCESS_FS_TRUNCATE     // 3: Linux 6.2
	LandlockIoctlDev    uint64 = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV    // 5: Linux 6.10
	LandlockResolveUnix uint64 = unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX // 9: Linux 7.1
)

// LandlockFileRights are the rights a rule on anything but a directory may
// carry; landlock_add_rule answers EINVAL to any other (ACCESS_FILE in
// security/landlock/fs.c). Mask it with the rights the ruleset handles.
const LandlockFileRights = LandlockExecute | LandlockWriteFile | LandlockReadFile |
	LandlockTruncate | LandlockIoctlDev | LandlockResolveUnix

// Landlock network rights, by port.
const (
	LandlockBindTCP        uint64 = unix.LANDLOCK_ACCESS_NET_BIND_TCP         // 4: Linux 6.7
	LandlockConnectTCP     uint64 = unix.LANDLOCK_ACCESS_NET_CONNECT_TCP      // 4
	LandlockBindUDP        uint64 = unix.LANDLOCK_ACCESS_NET_BIND_UDP         // 10: Linux 7.2
	LandlockConnectSendUDP uint64 = unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP // 10
)

// Landlock scopes: what may not be reached outside the domain.
const (
	LandlockScopeAbstractUnix uint64 = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET // 6: Linux 6.12
	LandlockScopeSignal       uint64 = unix.LANDLOCK_SCOPE_SIGNAL               // 6
)

// Flags of landlock_restrict_self.
const (
	LandlockLogSameExecOff   uintptr = unix.LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF  // 7: Linux 6.15
	LandlockLogNewExecOn     uintptr = unix.LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON    // 7
	LandlockLogSubdomainsOff uintptr = unix.LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF // 7
	LandlockTSync            uintptr = unix.LANDLOCK_RESTRICT_SELF_TSYNC              // 8: Linux 7.0
)

// LandlockKnownABI is the newest ABI whose rights callgate knows. A newer
// kernel is asked only for these; it handles no right it was not asked for.
const LandlockKnownABI = 10

// LandlockHandled returns every right and scope that a kernel of the given ABI
// knows, ready for [LandlockRulesetAttr]. All are zero for an ABI below 1, and
// those of [LandlockKnownABI] for a newer one.
func LandlockHandled(abi int) (fs, net, scoped uint64) {
	if abi < 1 {
		return 0, 0, 0
	}
	fs = LandlockMakeSym<<1 - 1 // the thirteen rights of ABI 1 are the low bits
	if abi >= 2 {
		fs |= LandlockRefer
	}
	if abi >= 3 {
		fs |= LandlockTruncate
	}
	if abi >= 4 {
		net |= LandlockBindTCP | LandlockConnectTCP
	}
	if abi >= 5 {
		fs |= LandlockIoctlDev
	}
	if abi >= 6 {
		scoped = LandlockScopeAbstractUnix | LandlockScopeSignal
	}
	if abi >= 9 {
		fs |= LandlockResolveUnix
	}
	if abi >= 10 {
		net |= LandlockBindUDP | LandlockConnectSendUDP
	}
	return fs, net, scoped
}

// LandlockABI returns the kernel's Landlock ABI, at least 1. It fails with
// ENOSYS where the kernel was built without Landlock and with EOPNOTSUPP where
// it was not enabled at boot (the lsm= parameter).
func LandlockABI() (int, error) {
	abi, _, errno := unix.RawSyscall(SysLandlockCreateRuleset, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(abi), nil
}

// LandlockCreateRuleset returns a descriptor, closed on exec, of a new ruleset
// that denies what attr handles. EINVAL: the kernel's ABI lacks a right in it.
func LandlockCreateRuleset(attr *LandlockRulesetAttr) (fd int, err error) {
	r, _, errno := unix.Syscall(SysLandlockCreateRuleset,
		uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// LandlockAddPath allows rights beneath the file or directory that attr holds.
// EINVAL: a right the ruleset does not handle, or one only a directory takes.
func LandlockAddPath(ruleset int, attr *LandlockPathBeneathAttr) error {
	_, _, errno := unix.Syscall6(SysLandlockAddRule, uintptr(ruleset),
		LandlockRulePathBeneath, uintptr(unsafe.Pointer(attr)), 0, 0, 0)
	return errnoErr(errno)
}

// LandlockAddPort allows rights on a port. EINVAL: a right the ruleset does
// not handle, or a port above 65535. EAFNOSUPPORT: a kernel without TCP.
func LandlockAddPort(ruleset int, attr *LandlockNetPortAttr) error {
	_, _, errno := unix.Syscall6(SysLandlockAddRule, uintptr(ruleset),
		LandlockRuleNetPort, uintptr(unsafe.Pointer(attr)), 0, 0, 0)
	return errnoErr(errno)
}

// LandlockRestrictSelf confines the calling thread, and what it will start, to
// the ruleset. It needs no_new_privs or CAP_SYS_ADMIN (EPERM), and fails with
// E2BIG at the sixteenth nested ruleset. Lock the goroutine to its thread first.
func LandlockRestrictSelf(ruleset int, flags uintptr) error {
	_, _, errno := unix.Syscall(SysLandlockRestrictSelf, uintptr(ruleset), flags, 0)
	return errnoErr(errno)
}
