package notify

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// Answer carries out a verdict. It is gate.Source's.
func (l *Listener) Answer(t *gate.Trap, v gate.Verdict) (int64, error) {
	if file, closeOnExec := v.File(); file != nil {
		number, err := l.give(t.ID, file, closeOnExec, v.IsAlone())
		file.Close()
		if err == nil && v.IsAlone() {
			return l.send(t.ID, gate.Return(int64(number)))
		}
		if err == nil || errors.Is(err, gate.ErrGone) {
			return int64(number), err
		}
		err = fmt.Errorf("give the task a descriptor: %w", err)
		if _, gone := l.send(t.ID, gate.Fail(err)); gone != nil {
			return 0, gone
		}
		return 0, err
	}
	return l.send(t.ID, v)
}

// send answers with a value or an error, or lets the kernel run the call.
func (l *Listener) send(id uint64, v gate.Verdict) (int64, error) {
	answer := sys.NotificationAnswer{ID: id}
	switch v.Outcome() {
	case event.Allowed:
		answer.Flags = sys.NotificationContinue
	case event.Emulated:
		answer.Value = v.Value()
	default:
		answer.Errno = -int32(v.Errno())
	}
	var room buffer
	l.open.RLock()
	defer l.open.RUnlock()
	err := sys.AnswerNotification(l.fd, room[:l.answerSize], answer)
	return answer.Value, l.answerError(err)
}

// give answers with a descriptor, or only adds it, if it is to be the task's alone.
// The file keeps its mode, which os.File.Fd would change: the task shares it.
func (l *Listener) give(id uint64, file gate.Descriptor, closeOnExec, alone bool) (number int, err error) {
	add := sys.GiveNotification
	if alone {
		add = sys.AddToNotification
	}
	l.open.RLock()
	defer l.open.RUnlock()
	if of, ok := file.(syscall.Conn); ok {
		conn, failed := of.SyscallConn()
		if failed == nil {
			failed = conn.Control(func(fd uintptr) { number, err = add(l.fd, id, int(fd), closeOnExec) })
		}
		if failed != nil {
			return 0, failed
		}
	} else {
		number, err = add(l.fd, id, int(file.Fd()), closeOnExec)
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTTY) {
		return 0, fmt.Errorf("the kernel lacks SECCOMP_ADDFD_FLAG_SEND (Linux 5.14): %w", abi.ENOSYS)
	}
	return number, l.answerError(err)
}

// answerError knows the errors of a task that no longer waits.
func (l *Listener) answerError(err error) error {
	switch {
	case err == nil:
		return nil
	case l.fd < 0: // the kernel answered for us
		return os.ErrClosed
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EINPROGRESS):
		return gate.ErrGone
	}
	return fmt.Errorf("answer a stopped call: %w", abi.ErrnoOf(err))
}
