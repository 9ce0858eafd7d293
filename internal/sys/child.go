package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Everything in this file runs in a process that shares the memory of a Go
// program and none of its threads, on a stack of its own. The rules: no
// allocation, no stack growth (nosplit), no pointer stores (write barriers), no
// package sync/atomic (calls of the race detector's), no Go signal handler (all
// are blocked), nothing but raw system calls on memory that the parent laid out.

// cloneShared makes a process that shares the caller's memory and calls entry,
// which must not return, with m on the given stack. The kernel clears the word
// at cleared when the process has left this memory, if flags say so.
//
//go:noescape
func cloneShared(flags, stack, entry uintptr, m *machine, cleared *uint32) (pid, errno uintptr)

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
	defaultSignals(m)
	if len(m.early.Target) > 0 {
		startTarget(m)
	}
	if !run(m, phaseEarly, m.early.Init, &m.initRegs) {
		abandon(m)
	}
	if m.target == 0 {
		startTarget(m)
	}
	m.at[phaseEarly] = uint32(len(m.early.Init))
	leave(m, stageEarly)
	m.phase = phaseInit
	if !run(m, phaseInit, m.initSteps, &m.initRegs) {
		abandon(m)
	}
	m.at[phaseInit] = uint32(len(m.initSteps))
	if !m.awaits {
		closeAllBut(m.keep)
	}
	leave(m, stageSteps)
	m.phase = phaseTarget
	reach(m, Ready)
	// Before the target executes its program it may lead no process group yet
	// that could be sent signals. But one whose execve may stop has come past
	// that, and init must not stop with it.
	for !m.execStops {
		now := m.sharing
		if now == targetGone {
			break
		}
		sleepOn(&m.sharing, futexWaitShared, now)
	}
	if m.listens {
		handOver(m)
	}
	holdEnding(m)
	serve(m, m.target)
}

// startTarget makes the target. With a listener it shares init's descriptors:
// its next call may be one that stops, so that it can't hand over anything.
//
//go:nosplit
//go:norace
func startTarget(m *machine) {
	m.self, _, _ = syscall.RawSyscall6(unix.SYS_GETPID, 0, 0, 0, 0, 0, 0)
	m.sharing = targetStarted
	flags := uintptr(unix.CLONE_VM | unix.CLONE_CHILD_CLEARTID | int(unix.SIGCHLD))
	if m.early.Listens {
		flags |= unix.CLONE_FILES
	}
	target, errno := cloneShared(flags, m.targetStack, m.targetEntry, m, &m.sharing)
	if errno != 0 {
		m.at[phaseEarly] = uint32(len(m.early.Init))
		fail(m, phaseEarly, syscall.Errno(errno))
		exit(125)
	}
	m.target, m.initRegs[targetReg] = target, target
}

// handOver waits for the target's listener, unless it is there, which the target
// itself can't announce: any call could stop now. A target that ends before has
// said why.
//
//go:nosplit
//go:norace
func handOver(m *machine) {
	for m.targetRegs[listenerReg] == 0 {
		if pid, _ := wait(m, unix.WNOHANG); pid == m.target {
			holdEnding(m)
			end(m)
		}
		syscall.RawSyscall6(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&m.pause)), 0, 0, 0, 0, 0)
	}
	if !run(m, phaseHandOver, m.handSteps, &m.targetRegs) {
		abandon(m)
	}
}

// leave sleeps until the caller lets its child go on from a stage. Going through the
// kernel orders the caller's writes before the child's reads on every architecture.
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
	syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0)
	orphaned(m)
	if !run(m, phaseTargetEarly, m.early.Target, &m.targetRegs) {
		exit(127)
	}
	leave(m, stageEarly)
	if !m.early.Listens {
		closeAllBut(m.keep)
	}
	if !m.awaits {
		await(m, Ready)
	}
	run(m, phaseTarget, m.targetSteps, &m.targetRegs)
	exit(127)
}

// orphaned ends a target whose init went before the target was tied to its life.
//
//go:nosplit
//go:norace
func orphaned(m *machine) {
	if parent, _, _ := syscall.RawSyscall6(unix.SYS_GETPPID, 0, 0, 0, 0, 0, 0); parent != m.self {
		exit(127)
	}
}

// reach lets the other one that waits for a point go on.
//
//go:nosplit
//go:norace
func reach(m *machine, point Point) {
	switch point {
	case NetworkMade:
		m.sharing = targetNetwork
		syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m.sharing)), futexWakeShared, 1, 0, 0, 0)
		return
	case RootMade:
		closeAllBut(m.keep) // a program could look for them in init
	}
	m.point = uint32(point)
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m.point)), futexWake, 1, 0, 0, 0)
}

// await sleeps until the other has reached a point. Neither outwaits the other:
// the kernel tells init that the target left, and kills the target with init.
//
//go:nosplit
//go:norace
func await(m *machine, point Point) {
	if point == NetworkMade {
		for m.sharing == targetStarted {
			sleepOn(&m.sharing, futexWaitShared, targetStarted)
		}
		return
	}
	for {
		now := m.point
		if now >= uint32(point) {
			return
		}
		orphaned(m)
		sleepOn(&m.point, futexWait, now)
	}
}

// sleepOn sleeps while a word has a value, and sometimes wakes for nothing.
//
//go:nosplit
//go:norace
func sleepOn(word *uint32, operation uintptr, value uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), operation, uintptr(value), 0, 0, 0)
}

// run walks the steps, keeps note of the one it is at, and reports one that fails.
//
//go:nosplit
//go:norace
func run(m *machine, phase uint32, steps []Step, regs *[Registers]uintptr) bool {
	for i := range steps {
		s := &steps[i]
		m.at[phase%phases] = uint32(i)
		switch s.Op {
		case OpStore32:
			// Through a pointer to the address: the address is a number here, as every argument is.
			**(**uint32)(unsafe.Pointer(&s.Args[0])) = uint32(regs[s.Args[1]%Registers])
			continue
		case OpSignalMask:
			syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&m.mask)), 0, 8, 0, 0)
			continue
		case OpMakeSockets:
			if !makeSockets(m, 0) {
				fail(m, phase, syscall.EPIPE)
				return false
			}
			continue
		case OpAwait:
			await(m, Point(s.Args[0]))
			continue
		case OpReach:
			reach(m, Point(s.Args[0]))
			continue
		}
		value, errno := call(s, regs)
		if s.Op == OpWriteAll && errno == 0 {
			errno = writeRest(s, regs, value)
		}
		if errno == 0 {
			if s.Save != 0 {
				regs[s.Save%Registers] = value
			}
			continue
		}
		if !tolerated(s, errno) || s.Op == OpExec && i == len(steps)-1 {
			if s.Op == OpExec && m.denied == 1 {
				errno = syscall.EACCES
			}
			fail(m, phase, errno)
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
func call(s *Step, regs *[Registers]uintptr) (uintptr, syscall.Errno) {
	a := s.Args
	if s.From != 0 {
		for i := range a {
			if s.From&(1<<i) != 0 {
				a[i] = regs[a[i]%Registers]
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

// writeRest writes what a write of a step's left.
//
//go:nosplit
//go:norace
func writeRest(s *Step, regs *[Registers]uintptr, done uintptr) syscall.Errno {
	for done < s.Args[2] {
		n, _, errno := syscall.RawSyscall6(unix.SYS_WRITE, regs[s.Args[0]%Registers], s.Args[1]+done, s.Args[2]-done, 0, 0, 0)
		switch {
		case errno == syscall.EINTR:
		case errno != 0:
			return errno
		case n == 0:
			return syscall.EIO
		}
		if errno == 0 {
			done += n
		}
	}
	return 0
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

// fail keeps the error of init's or of the target's: the two walk at once.
//
//go:nosplit
//go:norace
func fail(m *machine, phase uint32, errno syscall.Errno) {
	f := &m.initFailure
	if phase == phaseTargetEarly || phase == phaseTarget {
		f = &m.targetFailure
	}
	f.errno, f.phase, f.failed = uint32(errno), phase, 1
}

// abandon ends init, which failed, and a target that waits for it.
//
//go:nosplit
//go:norace
func abandon(m *machine) {
	if m.target != 0 {
		syscall.RawSyscall6(unix.SYS_KILL, m.target, uintptr(unix.SIGKILL), 0, 0, 0, 0)
		for {
			if pid, errno := wait(m, 0); pid == m.target || errno == syscall.ECHILD {
				break
			}
		}
	}
	exit(125)
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
