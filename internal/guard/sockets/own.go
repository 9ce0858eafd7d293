package sockets

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// socket is the file of a socket of the program's. As long as it is open no other
// file gets its number.
type socket struct {
	file        int
	device, ino uint64
}

// maxOwn bounds what is kept; more sockets can't be connected to, unless they lie
// in memory of the program's own.
const maxOwn = 256

// isOwn reports whether the program made a socket itself: it lies in a file system
// in memory that callgate hasn't got, and so nobody else has; or somebody of the
// program has listened at it.
func (h *Handler) isOwn(fd int) bool {
	stat, err := sys.StatAt(fd, "")
	if err != nil {
		return false
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, s := range h.own {
		if s.device == stat.Dev && s.ino == stat.Ino {
			return true
		}
	}
	return sys.IsTmpfs(fd) && !isMounted(stat.Dev)
}

// isMounted reports whether callgate sees a file system itself, now; also where it
// can't tell.
func isMounted(device uint64) bool {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return true
	}
	major, minor := sys.DeviceNumbers(device)
	const deviceField = 2 // proc_pid_mountinfo(5)
	wanted := fmt.Sprintf("%d:%d", major, minor)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > deviceField && fields[deviceField] == wanted {
			return true
		}
	}
	return false
}

// listen remembers the file of a socket that is going to listen: the program has
// it, so it is the program's own, or was given to it. Where callgate may not ask,
// it is forgotten.
func (h *Handler) listen(t *gate.Trap) {
	fd, err := taken(t)
	if err != nil {
		return
	}
	defer sys.Close(fd)
	if family, err := sys.SocketFamily(fd); err != nil || family != sys.UnixFamily {
		return
	}
	file, err := asCallgate(func() (int, error) { return sys.SocketFile(fd) })
	if err != nil {
		return // abstract, or without a name
	}
	stat, err := sys.StatAt(file, "")
	if err != nil {
		sys.Close(file)
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.forgetRemoved()
	if len(h.own) == maxOwn {
		sys.Close(h.own[0].file)
		h.own = h.own[1:]
	}
	h.own = append(h.own, socket{file, stat.Dev, stat.Ino})
}

// forgetRemoved needs the lock. What has no name left nobody finds any more.
func (h *Handler) forgetRemoved() {
	kept := h.own[:0]
	for _, s := range h.own {
		if stat, err := sys.StatAt(s.file, ""); err != nil || stat.Nlink == 0 {
			sys.Close(s.file)
			continue
		}
		kept = append(kept, s)
	}
	h.own = kept
}

// asCallgate does something on a thread that is callgate's own still: the
// receiver's has become the program's user.
func asCallgate(do func() (int, error)) (int, error) {
	type result struct {
		fd  int
		err error
	}
	done := make(chan result)
	go func() {
		fd, err := do()
		done <- result{fd, err}
	}()
	r := <-done
	if r.err == syscall.EPERM {
		r.err = fmt.Errorf("ask for a socket's file: %w", r.err)
	}
	return r.fd, r.err
}
