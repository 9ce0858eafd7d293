package notify

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

func (l *Listener) trap(n *sys.Notification) *gate.Trap {
	number := abi.Sysno(uint32(n.Nr))
	t := &struct { // one allocation
		gate.Trap
		memory
	}{memory: memory{l, n.ID, int(n.TID)}}
	t.Call = abi.Call{Arch: archOf(n.Arch, number), Nr: number, Args: n.Args}
	t.ID = n.ID
	t.Task.TID = int(n.TID)
	t.Memory = &t.memory
	return &t.Trap
}

// Waits is gate.Waiter's.
func (l *Listener) Waits(t *gate.Trap) bool { return l.valid(t.ID) }

// valid reports whether a task still waits for its answer.
func (l *Listener) valid(id uint64) bool {
	l.open.RLock()
	defer l.open.RUnlock()
	return sys.NotificationValid(l.fd, id)
}

// archOf is the numbering that a call on this machine uses, or none.
func archOf(audit uint32, number abi.Sysno) abi.Arch {
	if audit == abi.X32.Audit() && number&abi.X32Bit != 0 {
		return abi.X32
	}
	native := abi.Native()
	if audit == native.Audit() {
		return native
	}
	for _, arch := range native.Companions() {
		if arch != abi.X32 && arch.Audit() == audit {
			return arch
		}
	}
	return 0
}

// memory is the memory of a task that waits for an answer.
type memory struct {
	listener *Listener
	id       uint64
	tid      int
}

// ReadAt is io.ReaderAt's; see gate.Memory.
func (m *memory) ReadAt(p []byte, address int64) (int, error) {
	return m.access(sys.ReadTask, p, address)
}

// WriteAt is io.WriterAt's; see gate.Memory. What was written can't be taken back,
// so it asks before, too. A task that leaves in between would have to be followed
// by another of its number within microseconds; /proc/PID/mem, which would tell
// the two apart, writes where the task itself may not.
func (m *memory) WriteAt(p []byte, address int64) (int, error) {
	if !m.listener.valid(m.id) {
		return 0, gate.ErrGone
	}
	return m.access(sys.WriteTask, p, address)
}

// access asks after the copy, not before, whether the task still waits: only then
// was it that task's memory, and not that of another with its number.
func (m *memory) access(do func(int, []byte, uint64) (int, error), p []byte, address int64) (int, error) {
	n, err := do(m.tid, p, uint64(address))
	switch {
	case !m.listener.valid(m.id):
		return 0, gate.ErrGone
	case errors.Is(err, syscall.EFAULT), err == nil && n < len(p):
		return max(n, 0), abi.EFAULT
	case err != nil:
		return 0, abi.ErrnoOf(err)
	}
	return n, nil
}

// Identify tells whose thread made the call, and the program's name. It is
// gate.Identifier's.
func (l *Listener) Identify(t *gate.Trap) event.Task {
	task := t.Task
	status, err := sys.ReadShort("/proc/" + strconv.Itoa(t.Task.TID) + "/status")
	if err != nil || !l.valid(t.ID) {
		return task
	}
	for line := range strings.Lines(status) {
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":\t"); name {
		case "Name":
			task.Program = value
		case "Tgid":
			task.PID, _ = strconv.Atoi(value)
		}
	}
	return task
}
