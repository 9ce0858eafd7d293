// Package notify is a seccomp listener as a gate.Source: the calls of a confined
// process that its filter leaves to be decided outside (seccomp_unotify(2)).
package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// Listener receives and answers the stopped calls of one filter, and of all
// tasks that inherited it. Receivers wait in the kernel, each on a thread of its
// own; nothing is queued here, so that a flood of calls takes no memory.
type Listener struct {
	open       sync.RWMutex // held for reading while fd is used beside Next
	fd         int          // -1 once it is closed
	bufferSize int          // of a notification, in words
	answerSize int          // of an answer, in words
	stop       *os.File     // closing it ends the watch for the last task's end
	watched    sync.WaitGroup
	receivers  receivers
}

// Listen takes over a listener, which it closes in any case; Close closes what it
// made of it. The errors are the kernel's.
func Listen(file *os.File) (*Listener, error) {
	defer file.Close()
	notification, answer, err := sys.NotificationSizes()
	if err != nil {
		return nil, fmt.Errorf("ask for the size of notifications: %w", err)
	}
	if max(words(notification), words(answer)) > len(buffer{}) {
		return nil, fmt.Errorf("receive stopped calls: the kernel's take %d bytes, and %d to answer: %w", notification, answer, errors.ErrUnsupported)
	}
	if err := sys.AllowInterrupts(); err != nil {
		return nil, err
	}
	fd, err := sys.Unwatched(file)
	if err != nil {
		return nil, fmt.Errorf("take over the listener: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		sys.CloseUnwatched(fd)
		return nil, err
	}
	l := &Listener{fd: fd, bufferSize: words(notification), answerSize: words(answer), stop: write}
	_ = sys.SyncWakeUp(l.fd) // only faster, where the kernel has it
	l.watched.Go(func() { l.watch(read) })
	return l, nil
}

// buffer is room, on a stack, for what the kernel writes and reads of a call: 80
// and 24 bytes up to Linux 6.18.
type buffer [32]uint64

func words(bytes int) int { return (bytes + 7) / 8 }

// watch ends the receivers when no task is left. A receiver that waits would not
// notice.
func (l *Listener) watch(stop *os.File) {
	defer stop.Close()
	if over, err := sys.WaitHangup(l.fd, int(stop.Fd())); over || err != nil {
		l.receivers.end(errors.Join(err, io.EOF))
	}
}

// pending reports whether a call is there that nobody has received.
func (l *Listener) pending() bool {
	l.open.RLock()
	defer l.open.RUnlock()
	return l.fd >= 0 && sys.NotificationPending(l.fd)
}

// Close ends the receivers and closes the listener. Calls that are stopped then,
// and all that would stop later, fail with ENOSYS.
func (l *Listener) Close() error {
	l.stop.Close()
	l.watched.Wait()
	l.receivers.end(os.ErrClosed)
	l.open.Lock() // whoever still answers
	defer l.open.Unlock()
	if l.fd < 0 {
		return os.ErrClosed
	}
	fd := l.fd
	l.fd = -1
	return sys.CloseUnwatched(fd)
}

// Next waits for the next stopped call. It is gate.Source's.
func (l *Listener) Next(ctx context.Context) (*gate.Trap, error) {
	runtime.LockOSThread() // a thread that waits is interrupted by its number
	defer runtime.UnlockOSThread()
	thread := sys.ThreadID()
	var room buffer
	for {
		if err := l.receivers.enter(ctx, thread); err != nil {
			return nil, err
		}
		n, err := sys.ReceiveNotification(l.fd, room[:l.bufferSize])
		over := errors.Is(err, syscall.ENOENT) && sys.HungUp(l.fd)
		l.receivers.leave(thread, l.pending) // from here on, Close may have closed it
		switch {
		case err == nil:
			return l.trap(n), nil
		case errors.Is(err, syscall.EINTR):
		case over: // so say newer kernels
			l.receivers.end(io.EOF)
		case errors.Is(err, syscall.ENOENT): // a task that left
		default:
			return nil, fmt.Errorf("receive a stopped call: %w", err)
		}
	}
}
