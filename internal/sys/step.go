package sys

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Op says what a Step does. The zero Op is a plain system call.
type Op uint8

// The operations of the step machine.
const (
	// OpCall makes the system call Nr.
	OpCall Op = iota
	// OpStore32 stores register Args[1] as 32 bits at address Args[0]: the way
	// a descriptor gets into a structure that a later step hands to the kernel.
	OpStore32
	// OpExec is an OpCall of execve: tolerated errors are remembered, so that
	// after the last candidate "permission denied" outlives "no such file".
	OpExec
	// OpWriteAll is an OpCall of write that goes on until all is written.
	OpWriteAll
	// OpSignalMask restores the signal mask that the caller of Start had. Until
	// then every signal is blocked; those that the caller caught have their
	// default action, those that it ignored stay ignored, as after execve.
	OpSignalMask
	// OpMakeSockets makes sockets for the caller until that says to go on.
	OpMakeSockets
	// OpAwait waits until the other of init and the target has reached Args[0].
	OpAwait
	// OpReach lets the other go on, if it waits for Args[0].
	OpReach
)

// Point is where one of the two scripts lets the other go on.
type Point uint32

// The points.
const (
	RootMade    Point = iota + 1 // init: the root is the one that the target is to have
	Ready                        // init: no step is left, and the caller said Run
	NetworkMade                  // target: the network is the one that it is to have
)

func (p Point) String() string {
	return [...]string{RootMade: "the root is made", Ready: "all is ready", NetworkMade: "the network is made"}[p]
}

// Registers is the number of registers a Script may use.
const Registers = 64

// listenerReg holds a target's listener and nothing else, so that 0 in it tells
// init that there is none yet.
const listenerReg = Reg(Registers - 1)

// targetReg holds the target's process id, in init's script.
const targetReg = Reg(Registers - 2)

// Reg is a register's number: a step saves its result there, a later step
// takes it as an argument. The zero Reg is none.
type Reg uint8

// Step is one move of the child between fork and exec.
type Step struct {
	Op     Op
	From   uint8    // bit i set: Args[i] is a Reg to read
	Save   Reg      // where the result goes, or none
	Allow  [3]uint8 // errors that count as done
	Nr     uint16
	Args   [6]uintptr
	Verb   string // the operation, for errors and plans: "mount"
	Object string // what it is done to, or "": "/usr"
	Wall   string // the wall this step builds, "" for none
}

// Script is the list of steps and the memory they point to.
type Script struct {
	Steps []Step
	keep  []unsafe.Pointer // what the steps' addresses point to: the collector does not see addresses in Args
	next  Reg
	free  []Reg
	wall  string

	handOver  *Script // what init does once a target's script has left a listener
	execStops bool    // where the filter of that listener may stop the script's own end
}

// Wall names the wall that the steps added from now on build.
func (s *Script) Wall(name string) { s.wall = name }

// Reg returns a register not in use; Close gives it back. It panics when all
// are taken, which no caller comes near.
func (s *Script) Reg() Reg {
	if n := len(s.free); n > 0 {
		r := s.free[n-1]
		s.free = s.free[:n-1]
		return r
	}
	if s.next == targetReg-1 {
		panic("sys: script uses more registers than there are")
	}
	s.next++
	return s.next
}

// Text describes the step: `mount "/usr"`.
func (st *Step) Text() string {
	switch {
	case st.Object == "":
		return st.Verb
	case strings.Trim(st.Object, "0123456789") == "":
		return st.Verb + " " + st.Object
	}
	return st.Verb + " " + strconv.Quote(st.Object)
}

// Cut returns the steps so far and goes on with an empty list. Registers stay in
// use, so that the two parts must run one after the other in one process; the
// Script must outlive both.
func (s *Script) Cut() []Step {
	n := len(s.Steps)
	steps := s.Steps[:n:n]
	s.Steps = s.Steps[n:]
	return steps
}

// Call adds a system call. Arguments may be int, uintptr and other integer
// constants, string (passed as NUL-terminated bytes), Reg (read when the step
// runs), or Pointer for structures. The returned step may be refined in place
// until the next is added.
func (s *Script) Call(verb, object string, nr uintptr, args ...any) *Step {
	s.add(Step{Nr: uint16(nr), Verb: verb, Object: object, Wall: s.wall})
	step := &s.Steps[len(s.Steps)-1]
	for i, arg := range args {
		switch v := arg.(type) {
		case Reg:
			step.From |= 1 << i
			step.Args[i] = uintptr(v)
		case string:
			step.Args[i] = s.address(cString(v))
		case Pointer:
			step.Args[i] = s.address(v.p)
		case int:
			step.Args[i] = uintptr(v)
		case int32:
			step.Args[i] = uintptr(v)
		case uintptr:
			step.Args[i] = v
		case uint64:
			step.Args[i] = uintptr(v)
		default:
			panic("sys: step argument of a type that no system call takes") // naming it would put every argument on the heap
		}
	}
	return step
}

// add makes room for a whole jail's steps at once: growing the list costs more
// than filling it.
func (s *Script) add(step Step) {
	if s.Steps == nil {
		s.Steps = make([]Step, 0, 256)
	}
	s.Steps = append(s.Steps, step)
}

// Store32 adds a step that stores register r in the 32 bits at p.
func (s *Script) Store32(p Pointer, r Reg) {
	s.add(Step{Op: OpStore32, Args: [6]uintptr{s.address(p.p), uintptr(r)}, Wall: s.wall})
}

// SignalMask adds an OpSignalMask step.
func (s *Script) SignalMask() {
	s.add(Step{Op: OpSignalMask, Verb: "restore signal mask", Wall: s.wall})
}

// Await adds a step that waits until the other script has reached a point.
func (s *Script) Await(point Point) {
	s.add(Step{Op: OpAwait, Args: [6]uintptr{uintptr(point)}, Verb: "wait until " + point.String(), Wall: s.wall})
}

// Reach adds a step that lets a script that waits for the point go on. At
// RootMade init closes all of the caller's descriptors that Build doesn't name.
func (s *Script) Reach(point Point) {
	s.add(Step{Op: OpReach, Args: [6]uintptr{uintptr(point)}, Verb: "tell that " + point.String(), Wall: s.wall})
}

// Tolerate makes the step's listed errors count as done; at most three.
func (st *Step) Tolerate(errs ...unix.Errno) *Step {
	for i, err := range errs {
		st.Allow[i] = uint8(err)
	}
	return st
}

// Into saves the step's result in r.
func (st *Step) Into(r Reg) *Step {
	st.Save = r
	return st
}

// String describes the step for a reader.
func (st *Step) String() string {
	if st.Op == OpStore32 {
		return fmt.Sprintf("store r%d", st.Args[1])
	}
	var b strings.Builder
	b.WriteString(st.Text())
	if st.Save != 0 {
		fmt.Fprintf(&b, " → r%d", st.Save)
	}
	for i := range st.Args {
		if st.From&(1<<i) != 0 {
			fmt.Fprintf(&b, " (r%d)", st.Args[i])
		}
	}
	return b.String()
}

// Pointer is memory that a step hands to the kernel.
type Pointer struct{ p unsafe.Pointer }

// PointerTo returns a pointer to v, which the caller may still change until
// the script runs.
func PointerTo[T any](v *T) Pointer { return Pointer{unsafe.Pointer(v)} }

// Strings returns a NULL-terminated array of C strings, as execve takes it.
func (s *Script) Strings(list []string) Pointer {
	array := make([]unsafe.Pointer, len(list)+1)
	for i, v := range list {
		array[i] = cString(v)
	}
	return Pointer{unsafe.Pointer(&array[0])}
}

func (s *Script) address(p unsafe.Pointer) uintptr {
	s.keep = append(s.keep, p)
	return uintptr(p)
}

func cString(v string) unsafe.Pointer {
	b := make([]byte, len(v)+1)
	copy(b, v)
	return unsafe.Pointer(&b[0])
}
