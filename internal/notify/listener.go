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
	file       *os.File
	fd         int
	bufferSize int      // of a notification, in words
	answerSize int      // of an answer, in words
	stop       *os.File // closing it ends the watch for the last task's end
	watched    sync.WaitGroup
	receivers  receivers
}

// Listen takes over a listener, which Close closes. The errors are the kernel's.
func Listen(file *os.File) (*Listener, error) {
	notification, answer, err := sys.NotificationSizes()
	if err != nil {
		return nil, fmt.Errorf("ask for the size of notifications: %w", err)
	}
	if err := sys.AllowInterrupts(); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &Listener{file: file, fd: int(file.Fd()), bufferSize: words(notification), answerSize: words(answer), stop: write}
	_ = sys.SyncWakeUp(l.fd) // only faster, where the kernel has it
	l.watched.Go(func() { l.watch(read) })
	return l, nil
}

func words(bytes int) int { return (bytes + 7) / 8 }

// watch ends the receivers when no task is left. A receiver that waits would not
// notice.
func (l *Listener) watch(stop *os.File) {
	defer stop.Close()
	if over, err := sys.WaitHangup(l.fd, int(stop.Fd())); over || err != nil {
		l.receivers.end(errors.Join(err, io.EOF))
	}
}

// Close ends the receivers and closes the listener. Calls that are stopped then,
// and all that would stop later, fail with ENOSYS.
func (l *Listener) Close() error {
	l.stop.Close()
	l.watched.Wait()
	l.receivers.end(os.ErrClosed)
	return l.file.Close()
}

// Next waits for the next stopped call. It is gate.Source's.
func (l *Listener) Next(ctx context.Context) (*gate.Trap, error) {
	runtime.LockOSThread() // a thread that waits is interrupted by its number
	defer runtime.UnlockOSThread()
	thread := sys.ThreadID()
	buffer := make([]uint64, l.bufferSize)
	for {
		if err := l.receivers.enter(ctx, thread); err != nil {
			return nil, err
		}
		n, err := sys.ReceiveNotification(l.fd, buffer)
		l.receivers.leave(thread)
		switch {
		case err == nil:
			return l.trap(n), nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ENOENT): // a task that left; newer kernels also say so when the last one did
			if sys.HungUp(l.fd) {
				l.receivers.end(io.EOF)
			}
		default:
			return nil, fmt.Errorf("receive a stopped call: %w", err)
		}
	}
}
