package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Everything in this file runs in a process that shares the memory of a Go
// program and none of its threads, on a stack of its own. The rules: no
// allocation, no stack growth (nosplit), no pointer stores (write barriers), no
// Go signal handler (all are blocked), nothing but raw system calls on memory
// that the parent laid out.

// cloneShared makes a process that shares the caller's memory and calls entry,
// which must not return, with m on the given stack.
//
//go:noescape
func cloneShared(flags, stack, entry uintptr, m *machine) (pid, errno uintptr)

// entry returns the address of f's code for cloneShared. It is not the address
// that assembly sees, a wrapper that the race detector would instrument.
func entry(f func(*machine)) uintptr { return **(**uintptr)(unsafe.Pointer(&f)) }

//go:nosplit
//go:norace
func initMain(m *machine) {
	syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0)
	// The parent may have died before the line above: then its end of the
	// lifeline is closed and the read sees the end, not "try again".
	syscall.RawSyscall6(unix.SYS_CLOSE, uintptr(m.lifeline[1]), 0, 0, 0, 0, 0)
	_, _, errno := syscall.RawSyscall6(unix.SYS_READ, uintptr(m.lifeline[0]), uintptr(unsafe.Pointer(&m.byte1)), 1, 0, 0, 0)
	if errno != syscall.EAGAIN {
		exit(1)
	}
	if !run(m, m.earlySteps, &m.step) {
		exit(125)
	}
	m.step = uint32(len(m.earlySteps))
	defaultSignals(m)
	leave(m, stageEarly)
	m.phase = phaseInit
	if !run(m, m.initSteps, &m.step) {
		exit(125)
	}
	m.step = uint32(len(m.initSteps))
	closeAllBut(m.keep)
	leave(m, stageSteps)
	// CLONE_VFORK: the target is off this memory before init goes on. But with a
	// listener its execve may stop, and init must not stop with it.
	with := uintptr(unix.CLONE_VFORK)
	if m.listens {
		with |= unix.CLONE_FILES
	}
	if m.execStops {
		with &^= unix.CLONE_VFORK
	}
	target, e := cloneShared(unix.CLONE_VM|with|uintptr(unix.SIGCHLD), m.targetStack, m.targetEntry, m)
	if e != 0 {
		fail(m, syscall.Errno(e))
		exit(125)
	}
	if m.listens {
		handOver(m, target)
	}
	holdEnding(m)
	serve(m, target)
}

// handOver waits for the target's listener, unless it is there, which the target
// itself can't announce: any call could stop now. A target that ends before has
// said why.
//
//go:nosplit
//go:norace
func handOver(m *machine, target uintptr) {
	for m.regs[listenerReg] == 0 {
		if pid, _ := wait(m, unix.WNOHANG); pid == target {
			holdEnding(m)
			end(m)
		}
		syscall.RawSyscall6(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&m.pause)), 0, 0, 0, 0, 0)
	}
	step := uint32(0)
	if !run(m, m.handSteps, &step) {
		syscall.RawSyscall6(unix.SYS_KILL, target, uintptr(unix.SIGKILL), 0, 0, 0, 0)
		for pid := uintptr(0); pid != target; {
			pid, _ = wait(m, 0)
		}
		m.phase, m.step, m.failed = phaseHandOver, step, 1
		exit(125)
	}
}

// leave sleeps until the parent lets init go on from a stage. Going through the
// kernel orders the parent's writes before init's reads on every architecture.
//
//go:nosplit
//go:norace
func leave(m *machine, stage uintptr) {
	for {
		_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m.stage)), futexWait, stage, 0, 0, 0)
		if errno == syscall.EAGAIN {
			return // the word has changed
		}
	}
}

//go:nosplit
//go:norace
func closeAllBut(keep []int) {
	low := uintptr(0)
	for i := range keep {
		if fd := uintptr(keep[i]); fd >= low {
			if fd > low {
				syscall.RawSyscall6(unix.SYS_CLOSE_RANGE, low, fd-1, 0, 0, 0, 0)
			}
			low = fd + 1
		}
	}
	syscall.RawSyscall6(unix.SYS_CLOSE_RANGE, low, uintptr(^uint32(0)), 0, 0, 0, 0)
}

//go:nosplit
//go:norace
func targetMain(m *machine) {
	m.phase = phaseTarget
	run(m, m.targetSteps, &m.step)
	exit(127)
}

// run walks the steps, keeps at on the one it is at, and reports one that fails.
//
//go:nosplit
//go:norace
func run(m *machine, steps []Step, at *uint32) bool {
	for i := range steps {
		s := &steps[i]
		*at = uint32(i)
		switch s.Op {
		case OpStore32:
			// Through a pointer to the address: the address is a number here, as every argument is.
			**(**uint32)(unsafe.Pointer(&s.Args[0])) = uint32(m.regs[s.Args[1]%Registers])
			continue
		case OpSignalMask:
			syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&m.mask)), 0, 8, 0, 0)
			continue
		case OpMakeSockets:
			if !makeSockets(m, 0) {
				fail(m, syscall.EPIPE)
				return false
			}
			continue
		}
		value, errno := call(m, s)
		if errno == 0 {
			if s.Save != 0 {
				m.regs[s.Save%Registers] = value
			}
			continue
		}
		if !tolerated(s, errno) || s.Op == OpExec && i == len(steps)-1 {
			if s.Op == OpExec && m.denied == 1 {
				errno = syscall.EACCES
			}
			fail(m, errno)
			return false
		}
		if s.Op == OpExec && errno == syscall.EACCES {
			m.denied = 1
		}
	}
	return true
}

//go:nosplit
//go:norace
func tolerated(s *Step, errno syscall.Errno) bool {
	for i := range s.Allow {
		if syscall.Errno(s.Allow[i]) == errno {
			return true
		}
	}
	return false
}

//go:nosplit
//go:norace
func call(m *machine, s *Step) (uintptr, syscall.Errno) {
	a := s.Args
	if s.From != 0 {
		for i := range a {
			if s.From&(1<<i) != 0 {
				a[i] = m.regs[a[i]%Registers]
			}
		}
	}
	for {
		value, _, errno := syscall.RawSyscall6(uintptr(s.Nr), a[0], a[1], a[2], a[3], a[4], a[5])
		if errno != syscall.EINTR {
			return value, errno
		}
	}
}

// defaultSignals gives every caught signal its default action, as execve would.
// The handlers are the Go runtime's, which must not run once the target, which
// inherits the actions, opens the mask.
//
//go:nosplit
//go:norace
func defaultSignals(m *machine) {
	for sig := uintptr(1); sig <= 64; sig++ {
		_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&m.action)), 8, 0, 0)
		handler := (*uintptr)(unsafe.Pointer(&m.action))
		const ignore = 1 // SIG_IGN
		if errno != 0 || *handler <= ignore {
			continue
		}
		*handler = 0
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&m.action)), 0, 8, 0, 0)
	}
}

//go:nosplit
//go:norace
func fail(m *machine, errno syscall.Errno) {
	m.errno = uint32(errno)
	m.failed = 1
}

//go:nosplit
//go:norace
func exit(code uintptr) {
	syscall.RawSyscall6(unix.SYS_EXIT_GROUP, code, 0, 0, 0, 0, 0)
	// The filter refuses even that: a fault ends the process whatever it says.
	for nowhere := (*uintptr)(nil); ; {
		*nowhere = code
	}
}
