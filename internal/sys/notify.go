package sys

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Notification is a call that a filter stopped (struct seccomp_notif,
// include/uapi/linux/seccomp.h).
type Notification struct {
	ID    uint64
	TID   uint32 // the calling thread, as the receiver's pid namespace numbers it; 0 if it has no number there
	Flags uint32
	Nr    int32
	Arch  uint32 // AUDIT_ARCH_*
	IP    uint64
	Args  [6]uint64
}

// NotificationAnswer is what becomes of it (struct seccomp_notif_resp).
type NotificationAnswer struct {
	ID    uint64
	Value int64
	Errno int32 // 0, or a negated errno
	Flags uint32
}

// NotificationContinue in an answer's Flags has the kernel run the call.
const NotificationContinue uint32 = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE

// addedFD is struct seccomp_notif_addfd.
type addedFD struct {
	ID       uint64
	Flags    uint32
	Source   uint32
	Target   uint32
	NewFlags uint32
}

// The requests that package unix lacks (include/uapi/linux/seccomp.h).
const (
	notifyAddFD    = 0x40182103 // SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9
	notifySetFlags = 0x40082104 // SECCOMP_IOCTL_NOTIF_SET_FLAGS, Linux 6.6

	addFDSend   = 1 << 1 // SECCOMP_ADDFD_FLAG_SEND, Linux 5.14
	syncWakeUp  = 1 << 0 // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
	sizesAction = unix.SECCOMP_GET_NOTIF_SIZES
)

// Unwatched returns a copy of a file's descriptor that Go's poller doesn't know.
// It watches what an [os.File] of a listener holds, and each stopped call would
// wake one of its threads for nothing, on another processor.
func Unwatched(file *os.File) (fd int, err error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return -1, err
	}
	failed := conn.Control(func(original uintptr) { fd, err = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(failed, os.NewSyscallError("fcntl", err))
}

// CloseUnwatched closes such a descriptor.
func CloseUnwatched(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }

// NotificationSizes returns the sizes in bytes that the kernel's notification and
// answer have; it writes and reads as much.
func NotificationSizes() (notification, answer int, err error) {
	var sizes struct{ notification, answer, data uint16 }
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, sizesAction, 0, uintptr(unsafe.Pointer(&sizes)))
	return int(sizes.notification), int(sizes.answer), errnoErr(errno)
}

// ReceiveNotification waits for the next stopped call; the buffer, as long as
// NotificationSizes says and 8-byte aligned, is overwritten. A signal ends the
// wait with EINTR; ENOENT is a task that left in between.
func ReceiveNotification(listener int, buffer []uint64) (*Notification, error) {
	clear(buffer) // the kernel refuses anything else
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&buffer[0])))
	return (*Notification)(unsafe.Pointer(&buffer[0])), errnoErr(errno)
}

// AnswerNotification answers a stopped call. ENOENT: its task left; EINPROGRESS:
// it was answered before. Nothing in it waits for long, so that Go's scheduler need
// not know.
func AnswerNotification(listener int, buffer []uint64, answer NotificationAnswer) error {
	clear(buffer)
	*(*NotificationAnswer)(unsafe.Pointer(&buffer[0])) = answer
	return briefRequest(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&buffer[0]))
}

// briefRequest asks something of a listener again when a signal came first: the
// kernel gives up where it has to wait for the listener's lock (notify_lock in
// kernel/seccomp.c).
func briefRequest(listener int, request uintptr, argument unsafe.Pointer) error {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(listener), request, uintptr(argument))
		if errno != unix.EINTR {
			return errnoErr(errno)
		}
	}
}

// GiveNotification answers a stopped call with a copy of the descriptor fd, whose
// number in the task it returns. The errors are those of AnswerNotification,
// EMFILE for a task that may have no more, and EBADF for fd. Linux 5.14.
//
// No signal may come between: the kernel would take the descriptor back and leave
// the answer, and the task would see that it was given descriptor 0.
func GiveNotification(listener int, id uint64, fd int, closeOnExec bool) (int, error) {
	return addFD(listener, addedFD{ID: id, Flags: addFDSend, Source: uint32(fd)}, closeOnExec)
}

// AddToNotification is GiveNotification without the answer: the task waits on.
func AddToNotification(listener int, id uint64, fd int, closeOnExec bool) (int, error) {
	return addFD(listener, addedFD{ID: id, Source: uint32(fd)}, closeOnExec)
}

func addFD(listener int, add addedFD, closeOnExec bool) (int, error) {
	defer holdSignals()()
	if closeOnExec {
		add.NewFlags = unix.O_CLOEXEC
	}
	number, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifyAddFD, uintptr(unsafe.Pointer(&add)))
	runtime.KeepAlive(&add)
	return int(number), errnoErr(errno)
}

// NotificationValid reports whether the task still waits for its answer.
func NotificationValid(listener int, id uint64) bool {
	return briefRequest(listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == nil
}

// SyncWakeUp asks that a stopped task and its receiver follow each other on one
// processor, which spares the wake-up of another. EINVAL before Linux 6.6.
func SyncWakeUp(listener int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(listener), notifySetFlags, syncWakeUp)
	return errnoErr(errno)
}

// NotificationPending reports whether a stopped call is there to be received.
func NotificationPending(listener int) bool { return polled(listener)&unix.POLLIN != 0 }

// HungUp reports whether no task is left behind the listener.
func HungUp(listener int) bool { return polled(listener)&unix.POLLHUP != 0 }

func polled(listener int) (events int16) {
	fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	_, _ = unix.Poll(fds, 0) // which leaves no events where it fails
	return fds[0].Revents
}

// WaitHangup waits until no task is left behind the listener, and returns true,
// or until the other descriptor can be read.
func WaitHangup(listener, stop int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(listener)}, {Fd: int32(stop), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == unix.EINTR {
			continue
		}
		return fds[0].Revents&unix.POLLHUP != 0, os.NewSyscallError("poll", err)
	}
}

// HasTaskMemory reports whether the memory of other tasks can be read at all, by
// reading this one's: a filter around this process may refuse the call.
func HasTaskMemory() error {
	byteOfOurs := []byte{1}
	_, err := ReadTask(unix.Getpid(), make([]byte, 1), uint64(uintptr(unsafe.Pointer(&byteOfOurs[0]))))
	runtime.KeepAlive(byteOfOurs)
	if err != nil {
		return os.NewSyscallError("process_vm_readv", err)
	}
	return nil
}

// ReadTask copies from another task's memory into p, and WriteTask from p into
// it (process_vm_readv(2)). They return how many bytes were there.
func ReadTask(tid int, p []byte, address uint64) (int, error) {
	return accessTask(unix.SYS_PROCESS_VM_READV, tid, p, address)
}

// WriteTask is ReadTask's other direction.
func WriteTask(tid int, p []byte, address uint64) (int, error) {
	return accessTask(unix.SYS_PROCESS_VM_WRITEV, tid, p, address)
}

func accessTask(nr uintptr, tid int, p []byte, address uint64) (int, error) {
	local := unix.Iovec{Base: &p[0]}
	local.SetLen(len(p))
	remote := struct{ base, length uintptr }{uintptr(address), uintptr(len(p))}
	n, _, errno := unix.Syscall6(nr, uintptr(tid), uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	return int(n), errnoErr(errno)
}
