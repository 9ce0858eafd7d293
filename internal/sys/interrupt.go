package sys

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// interruption is a signal that nobody else uses: a real-time one, which Go's
// handler, unless it is asked for, drops.
const interruption = unix.Signal(62)

// sigaction is the kernel's struct (include/linux/signal_types.h). riscv64 has no
// restorer: its mask comes where that would be, and the rest is not looked at.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const restart = 0x10000000 // SA_RESTART

// AllowInterrupts makes InterruptThread work. Go's handlers ask that calls go on
// after every signal (SA_RESTART); for one signal this takes it back.
func AllowInterrupts() error {
	var action sigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(interruption), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("rt_sigaction", errno)
	}
	action.flags &^= restart
	_, _, errno = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(interruption), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	return os.NewSyscallError("rt_sigaction", errnoErr(errno))
}

// ThreadID is the calling thread's number.
func ThreadID() int { return unix.Gettid() }

// InterruptThread has a call in which a thread of this process waits return
// EINTR. One that comes just before the wait is lost.
func InterruptThread(tid int) error {
	return os.NewSyscallError("tgkill", unix.Tgkill(unix.Getpid(), tid, interruption))
}

// holdSignals keeps signals from this thread until the returned function is called.
func holdSignals() (release func()) {
	runtime.LockOSThread()
	all, before := ^uint64(0), uint64(0)
	setSignalMask(&all, &before)
	return func() {
		setSignalMask(&before, nil)
		runtime.UnlockOSThread()
	}
}

// setSignalMask is rt_sigprocmask(2) with SIG_SETMASK, which can't fail here.
func setSignalMask(mask, before *uint64) {
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(mask)), uintptr(unsafe.Pointer(before)), unsafe.Sizeof(*mask), 0, 0)
}
