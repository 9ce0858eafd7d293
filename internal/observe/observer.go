// Package observe watches a learning run: it turns stopped calls into what package
// policy/learn keeps, looks at the machine's files to do so, and lets every call go
// on.
package observe

import (
	"context"
	"path"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy/learn"
)

// Observer is the gate.Handler of a learning run. It is not for several
// goroutines at once: its gate has one receiver and holds nothing.
type Observer struct {
	ledger  *learn.Ledger
	names   map[int]string // the programs of tasks, by their numbers
	started bool           // a first task was seen
}

// New returns an Observer that fills a ledger.
func New(ledger *learn.Ledger) *Observer { return &Observer{ledger: ledger, names: map[int]string{}} }

// Handle is gate.Handler's. Learning trusts the program: nothing is decided here,
// so that a call whose memory can't be read, or changes, goes on as well.
func (o *Observer) Handle(_ context.Context, t *gate.Trap) gate.Verdict {
	row, ok := t.Syscall()
	if !ok {
		return gate.Verdict{} // the learnt policy has no name for it either
	}
	s := stop{o, t, row, o.program(t.Task.TID)}
	o.ledger.Call(t.Call, s.program)
	if serve, ok := servers()[row.Name]; ok {
		serve(&s)
	} else {
		s.looks()
	}
	return gate.Continue()
}

// stop is one stopped call while it is looked at.
type stop struct {
	*Observer
	*gate.Trap
	row     *abi.Syscall
	program string
}

// maxNames bounds the names of tasks that are remembered.
const maxNames = 4096

// program returns the name of a task's program, and notes a task that is new. The
// name is for comments: a number that was given to another task meanwhile does no
// harm.
func (o *Observer) program(tid int) string {
	if name, ok := o.names[tid]; ok {
		return name
	}
	task := taskOf(tid)
	switch {
	case task.process != tid:
		o.ledger.Thread(task.program)
	case o.started:
		o.ledger.Process(task.program)
	}
	o.started = true
	return o.remember(tid, task.program)
}

// task is what the kernel tells of one (proc_pid_status(5)).
type task struct {
	program string
	process int
}

func taskOf(tid int) task {
	t := task{process: tid}
	status, err := sys.ReadShort("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return t
	}
	for line := range strings.Lines(status) {
		switch key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":\t"); key {
		case "Name":
			t.program = value
		case "Tgid":
			if pid, err := strconv.Atoi(value); err == nil {
				t.process = pid
			}
		}
	}
	return t
}

func (o *Observer) remember(tid int, name string) string {
	if len(o.names) == maxNames {
		clear(o.names)
	}
	o.names[tid] = name
	return name
}

// becomes notes the name that a task has after an execve.
func (s *stop) becomes(file string) {
	const longest = 15 // TASK_COMM_LEN without its NUL
	name := path.Base(file)
	s.remember(s.Task.TID, name[:min(len(name), longest)])
}
