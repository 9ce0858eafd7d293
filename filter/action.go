package filter

// Action is what a seccomp program returns for a call: a SECCOMP_RET_* value in
// the high 16 bits and its data in the low 16 (include/uapi/linux/seccomp.h).
// The zero Action kills the calling thread: a forgotten action denies.
type Action uint32

// Actions without data; see also Errno, Trap and Trace.
const (
	ActionKillThread  Action = 0x00000000
	ActionTrap        Action = 0x00030000 // SIGSYS; not a gate trap
	ActionErrno       Action = 0x00050000 // errno 0: the call is skipped and returns 0
	ActionNotify      Action = 0x7fc00000 // ask the listener
	ActionTrace       Action = 0x7ff00000 // ask a ptracer
	ActionLog         Action = 0x7ffc0000 // allow and log
	ActionAllow       Action = 0x7fff0000
	ActionKillProcess Action = 0x80000000
)
