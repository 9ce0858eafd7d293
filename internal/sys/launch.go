package sys

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Child is a process being started: init, in namespaces of its own, which runs
// a script, starts the target, and then reaps and forwards signals until the
// target ends. The target runs a second script, whose last steps execute the
// program.
type Child struct {
	Pid          int // init, as the caller sees it
	m            *machine
	init, target *Script // hold the memory that the steps point to
	stacks       []byte
	lifeline     int // write end of a pipe that init watches at its start
	ending       int // read end of a pipe that ends with init
	reaped       bool
}

// machine is all that the children touch. They share the caller's memory, so
// what they write here, the caller reads: no descriptor and no system call is
// needed to report, and a filter in force can't silence it.
type machine struct {
	early       Early
	initSteps   []Step
	targetSteps []Step
	handSteps   []Step // init's, once the target's listener is there
	listens     bool   // the target has a listener
	execStops   bool   // where its very first calls may stop
	keep        []int  // descriptors that init leaves open for the target, in order
	targetStack uintptr
	targetEntry uintptr
	lifeline    [2]int32
	ending      [2]int32
	mask        uint64 // the caller's signal mask
	initRegs    [Registers]uintptr
	targetRegs  [Registers]uintptr
	maker       maker

	stage         uint32         // how far init may go: stageSteps, stageTarget
	point         uint32         // how far the target may go: a Point
	phase         uint32         // which list init is at; it leaves the target's to the target
	at            [phases]uint32 // index of the failing or last step of each list
	initFailure   failure
	targetFailure failure
	denied        uint32 // 1 once an execve failed with EACCES
	ended         uint32 // 1 once the target ended
	alone         uint32 // 1 when no other process of the jail was left then
	status        uint32 // the target's wait status

	pidNamespace uint32  // 1 when init is pid 1 of its own
	awaits       bool    // the target's script says itself when to wait
	self         uintptr // init's pid as its children see it
	target       uintptr // the target's as init sees it; 0 before there is one
	sharing      uint32  // 1 while the target is on this memory; the kernel clears it

	action [32]byte // scratch for system calls
	text   [4096]byte
	info   [128]byte
	byte1  [1]byte
	pause  unix.Timespec // between looks for a listener
	waited uint32
}

// failure is a step that failed.
type failure struct{ failed, phase, errno uint32 }

// CloneStep is the text under which a failing clone of init or of the target
// is reported.
const CloneStep = "clone the process"

const allSignals = ^uint64(0)

const stackSize = 32 << 10

// The lists of steps, in the order they run.
const (
	phaseEarly = iota
	phaseInit
	phaseTargetEarly
	phaseTarget
	phaseHandOver // init's, while the target walks on
	phases
)

// What the caller lets init and the target do.
const (
	stageEarly  = iota // what is in Early
	stageSteps         // the rest of the steps
	stageTarget        // the word to start the target
)

// Early is what is known of a child before its scripts are. Scripts that outlive
// the child may own the steps.
type Early struct {
	Init, Target []Step // walked at once, as the scripts are
	Listens      bool   // the target's filter will have a listener
}

// Start makes init, in new namespaces as flags say (New*), and init the target.
// They take the early steps and wait for Build.
// The calling thread must not end before the target does: init is killed when
// it does (PR_SET_PDEATHSIG). The errors are the kernel's for clone(2), mmap(2)
// and pipe2(2).
func Start(flags uintptr, early Early) (*Child, error) { return StartMaking(flags, early, nil) }

// StartMaking is Start of an init that makes sockets for a SocketMaker, nil for
// none: first at a step of its script, then as long as the target runs.
func StartMaking(flags uintptr, early Early, sockets *SocketMaker) (*Child, error) {
	leaving.reap()
	stacks, err := unix.Mmap(-1, 0, 2*stackSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	var lifeline, ending [2]int
	if err := unix.Pipe2(lifeline[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		unix.Munmap(stacks)
		return nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.Pipe2(ending[:], unix.O_CLOEXEC); err != nil {
		closeAll(lifeline[0], lifeline[1])
		unix.Munmap(stacks)
		return nil, os.NewSyscallError("pipe2", err)
	}
	// Space above the stack pointer for the arguments of the first call.
	const top = stackSize - 64
	m := &machine{
		early:       early,
		pause:       unix.Timespec{Nsec: 20_000},
		targetStack: uintptr(unsafe.Pointer(&stacks[stackSize+top])),
		lifeline:    [2]int32{int32(lifeline[0]), int32(lifeline[1])},
		ending:      [2]int32{int32(ending[0]), int32(ending[1])},
	}
	if sockets != nil {
		m.maker.prepare(sockets.Theirs())
	}
	if flags&NewPids != 0 {
		m.pidNamespace = 1
	}
	// An earlier child that shared this memory made it undumpable; init could
	// not write its own id maps.
	unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	pid, errno := startBlocked(flags, uintptr(unsafe.Pointer(&stacks[top])), m)
	closeAll(lifeline[0], ending[1])
	if errno != 0 {
		closeAll(lifeline[1], ending[0])
		unix.Munmap(stacks)
		return nil, os.NewSyscallError("clone", errno)
	}
	return &Child{Pid: pid, m: m, stacks: stacks, lifeline: lifeline[1], ending: ending[0]}, nil
}

// Build has init run its script and then wait for Run. The target walks its own
// script beside it, up to a step that waits (Await); one without such a step is
// walked after Run. Of the caller's descriptors the target's script finds just
// those in keep: the others are closed before there is a program that could
// look for them in init.
func (c *Child) Build(init, target *Script, keep ...int) {
	c.init, c.target = init, target
	c.m.initSteps, c.m.targetSteps = init.Steps, target.Steps
	if target.handOver != nil {
		if !c.m.early.Listens {
			panic("sys: a listener that Early did not tell of")
		}
		c.m.listens, c.m.handSteps = true, target.handOver.Steps
		c.m.execStops = target.execStops
	}
	c.m.awaits = slices.ContainsFunc(target.Steps, func(s Step) bool { return s.Op == OpAwait && Point(s.Args[0]) == Ready })
	c.m.keep = append(keep, int(c.m.ending[1]))
	slices.Sort(c.m.keep)
	c.enter(stageSteps)
}

// Run has init let the target go on to its program.
func (c *Child) Run() { c.enter(stageTarget) }

func (c *Child) enter(stage uint32) {
	atomic.StoreUint32(&c.m.stage, stage)
	unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&c.m.stage)), futexWake, 2, 0, 0, 0)
}

// Abandon ends a child that was not told to run.
func (c *Child) Abandon() {
	unix.Kill(c.Pid, unix.SIGKILL)
	c.reap(0)
}

// Operations of futex(2); the word is private to the processes that share
// this memory.
const (
	futexPrivate = 128
	futexWait    = 0 | futexPrivate
	futexWake    = 1 | futexPrivate

	// For a word that the kernel clears and wakes for itself (CLONE_CHILD_CLEARTID).
	futexWaitShared = 0
	futexWakeShared = 1
)

// What machine.sharing says.
const (
	targetGone    = iota // executed its program, or ended
	targetStarted        // walks its steps
	targetNetwork        // has reached NetworkMade
)

// startBlocked clones init with every signal blocked: it must never run one of
// the runtime's handlers.
func startBlocked(flags, stack uintptr, m *machine) (int, unix.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m.targetEntry = entry(targetMain)
	blocked := allSignals
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&blocked)), uintptr(unsafe.Pointer(&m.mask)), 8, 0, 0)
	pid, errno := cloneShared(flags|unix.CLONE_VM|uintptr(unix.SIGCHLD), stack, entry(initMain), m, nil)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&m.mask)), 0, 8, 0, 0)
	return int(pid), unix.Errno(errno)
}

// AwaitCall waits until a call of the target stops at the listener, and returns
// true, or until the target ended or no task of its is left that could make one.
func (c *Child) AwaitCall(listener *os.File) bool {
	fds := []unix.PollFd{{Fd: int32(listener.Fd()), Events: unix.POLLIN}, {Fd: int32(c.ending), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return err != nil || fds[0].Revents&unix.POLLIN != 0
		}
	}
}

// Wait waits for the end of the target and of every process it left behind. It
// returns the target's wait status, or init's own if that was killed. Release
// or Leave must follow.
func (c *Child) Wait() (unix.WaitStatus, error) {
	var b [1]byte
	for {
		_, err := unix.Read(c.ending, b[:])
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return 0, os.NewSyscallError("read", err)
		}
	}
	if c.m.ended == 1 && c.m.alone == 1 {
		return unix.WaitStatus(c.m.status), nil
	}
	status, err := c.reap(0)
	if c.m.ended == 1 {
		status = unix.WaitStatus(c.m.status)
	}
	return status, err
}

// Release waits until the kernel has taken init and its namespaces down.
func (c *Child) Release() {
	if !c.reaped {
		c.reap(0)
	}
}

// Leave does not wait for that: nothing of the target runs any more. The next
// Start reaps init.
func (c *Child) Leave() {
	if !c.reaped {
		leaving.add(c)
	}
}

// reap waits for init's own end and gives up what was shared with it. With
// WNOHANG it returns EAGAIN while init is still leaving.
func (c *Child) reap(options int) (status unix.WaitStatus, err error) {
	for {
		pid, err := unix.Wait4(c.Pid, &status, options, nil)
		if err == unix.EINTR {
			continue
		}
		if err == nil && pid == 0 {
			return 0, unix.EAGAIN
		}
		c.reaped = true
		closeAll(c.lifeline, c.ending)
		unix.Munmap(c.stacks)
		return status, os.NewSyscallError("wait4", err)
	}
}

// leaving holds the children whose targets ended but whose init the kernel is
// still taking down; the next Start reaps them.
var leaving leavers

type leavers struct {
	mutex    sync.Mutex
	children []*Child
}

func (l *leavers) add(c *Child) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.children = append(l.children, c)
}

func (l *leavers) reap() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.children = slices.DeleteFunc(l.children, func(c *Child) bool {
		_, err := c.reap(unix.WNOHANG)
		return err != unix.EAGAIN
	})
}

// Failure returns the step that failed and its error, or nil when the program
// was executed. It is valid after Wait. A child that died without a word
// before the program ran also counts: the step it had reached and errno 0.
func (c *Child) Failure() (*Step, unix.Errno) {
	m := c.m
	// Init's may follow from the target's.
	phase, failure := m.phase, m.targetFailure
	if failure.failed == 0 {
		failure = m.initFailure
	}
	errno := unix.Errno(failure.errno)
	if failure.failed == 1 {
		phase = failure.phase
	}
	steps := [...][]Step{m.early.Init, m.initSteps, m.early.Target, m.targetSteps, m.handSteps}[phase]
	at := int(m.at[phase])
	switch {
	case at < len(steps):
	case failure.failed == 1: // what is no step
		return &Step{Verb: CloneStep}, errno
	case phase == phaseEarly: // init was killed while it waited
		return &Step{Verb: "wait for the plan"}, 0
	default:
		return &Step{Verb: "wait for the start"}, 0
	}
	step := &steps[at]
	if failure.failed == 0 && phase == phaseTarget && step.Op == OpExec {
		return nil, 0
	}
	return step, errno
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
