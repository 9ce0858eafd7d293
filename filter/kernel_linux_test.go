package filter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/callgate/callgate/abi"
)

// The tests in this file load programs into the real kernel. A victim, the test
// binary started anew, loads a program for one of its threads, makes calls from
// that thread and says what they returned. Programs let no call pass that
// exists, so that any call can be made.

// victimVariable in the environment makes the test binary a victim.
const victimVariable = "CALLGATE_FILTER_VICTIM"

// ghost is a number above those of all calls: the kernel answers ENOSYS.
const ghost abi.Sysno = 700

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		if err := victim(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// answer is what a call returned, as an error number; no call succeeds.
type answer struct{ Errno uint64 }

// threadKilled stands in an answer for a thread that the kernel killed.
const threadKilled = 1 << 32

// victim reads a program and calls, and writes an answer for each call.
func victim(in io.Reader, out io.Writer) error {
	debug.SetGCPercent(-1) // the filtered thread can do nothing for the runtime
	var sizes struct{ Program, Calls uint32 }
	if err := binary.Read(in, binary.NativeEndian, &sizes); err != nil {
		return err
	}
	code := make([]byte, sizes.Program)
	calls := make([]Data, sizes.Calls)
	if _, err := io.ReadFull(in, code); err != nil {
		return err
	}
	if err := binary.Read(in, binary.NativeEndian, calls); err != nil {
		return err
	}
	answers := make([]answer, len(calls))
	var thread atomic.Int64
	var end ending
	go func() {
		runtime.LockOSThread()
		thread.Store(int64(syscall.Gettid()))
		attack(code, calls, answers, &end)
	}()
	for atomic.LoadUint32(&end.finished) == 0 {
		if id := thread.Load(); id != 0 && gone(id) {
			answers[slices.Index(answers, answer{})].Errno = threadKilled
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	if end.failed != 0 {
		return fmt.Errorf("load program: %w", end.failed)
	}
	return binary.Write(out, binary.NativeEndian, answers)
}

// gone says whether a thread of this process has ended. The first one stays
// until the others have ended too.
func gone(thread int64) bool {
	status, err := os.ReadFile("/proc/self/task/" + strconv.FormatInt(thread, 10) + "/stat")
	return errors.Is(err, os.ErrNotExist) || bytes.Contains(status, []byte(") Z "))
}

// ending is how an attack ended. The attacker writes it without the help of
// sync/atomic, which under the race detector may make calls.
type ending struct {
	failed   syscall.Errno
	finished uint32
}

// attack loads the program and makes the calls. From then on the thread must
// not enter the runtime: it spins until the process exits.
//
//go:norace
func attack(code []byte, calls []Data, answers []answer, end *ending) {
	const (
		setNoNewPrivs = 38 // PR_SET_NO_NEW_PRIVS
		setSeccomp    = 22 // PR_SET_SECCOMP
		modeFilter    = 2  // SECCOMP_MODE_FILTER
		setMask       = 2  // SIG_SETMASK
	)
	// A handler could not return, except from SIGSYS, which is final.
	mask := ^uint64(1 << (syscall.SIGSYS - 1))
	if _, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0); e != 0 {
		end.failed = e
	}
	program := struct {
		length uint16
		code   *byte
	}{uint16(len(code) / instructionSize), unsafe.SliceData(code)}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		end.failed = e
	}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setSeccomp, modeFilter, uintptr(unsafe.Pointer(&program)), 0, 0, 0); e != 0 {
		end.failed = e
		calls = nil
	}
	for i := range calls {
		c := &calls[i]
		_, _, e := syscall.RawSyscall6(uintptr(c.Nr), uintptr(c.Args[0]), uintptr(c.Args[1]), uintptr(c.Args[2]),
			uintptr(c.Args[3]), uintptr(c.Args[4]), uintptr(c.Args[5]))
		answers[i].Errno = uint64(e)
	}
	for {
		end.finish()
	}
}

// finish is a call of its own because the compiler drops a store that only an
// endless loop follows.
//
//go:norace
//go:noinline
//go:nosplit
func (e *ending) finish() { e.finished = 1 }

// startVictim starts a victim as a user, or as the present one if uid is
// negative, and returns its answers.
func startVictim(p Program, calls []Data, uid int) ([]answer, string, error) {
	var in, out, complaint bytes.Buffer
	code := p.Bytes()
	for _, v := range []any{[]uint32{uint32(len(code)), uint32(len(calls))}, code, calls} {
		if err := binary.Write(&in, binary.NativeEndian, v); err != nil {
			return nil, "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // a victim that hangs holds a CPU
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = []string{victimVariable + "=1", "GODEBUG=asyncpreemptoff=1", "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid >= 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	if err := cmd.Run(); err != nil {
		return nil, complaint.String(), err
	}
	answers := make([]answer, len(calls))
	return answers, complaint.String(), binary.Read(&out, binary.NativeEndian, answers)
}

// users are those that victims run as: nobody too if we may.
func users() map[string]int {
	if os.Geteuid() != 0 {
		return map[string]int{"self": -1}
	}
	return map[string]int{"root": -1, "nobody": 65534}
}

// needSeccomp skips where the kernel has no seccomp filters.
func needSeccomp(t *testing.T) {
	t.Helper()
	if abi.Native() == 0 {
		t.Skipf("callgate has no calls of %s", runtime.GOARCH)
	}
	if _, complaint, err := startVictim(Program{{Code: opRet, K: uint32(ActionAllow)}}, nil, -1); err != nil {
		t.Skipf("this kernel or sandbox takes no seccomp programs: %v %s", err, complaint)
	}
}

// want is what the kernel should answer to a call that no task serves.
func (a Action) want() (answer, bool) {
	switch a.Kind() {
	case ActionErrno:
		return answer{uint64(a.Data())}, true
	case ActionAllow, ActionTrace, ActionNotify: // without a tracer or listener
		return answer{uint64(abi.ENOSYS)}, true
	}
	return answer{}, false
}

// harmless returns a random filter that lets only ghosts pass.
func (m maker) harmless() Filter {
	next := 1000 // an errno of its own for each rule, none that calls return
	refuse := func() Action {
		next++
		return Errno(abi.Errno(next))
	}
	f := Filter{Foreign: refuse()}
	arches := []abi.Arch{abi.Native()}
	if abi.Native() == abi.AMD64 && m.choose(2) == 0 {
		arches = append(arches, abi.X32)
	}
	for _, arch := range arches {
		t := Table{Arch: arch, Default: refuse()}
		first := abi.Sysno(0)
		if arch == abi.X32 {
			first = abi.X32Bit
		}
		for range m.choose(pick(m, []int{3, 30, 300})) {
			r := m.rule(first, 500)
			r.Then = refuse()
			if m.choose(4) == 0 {
				r.Nr = first | (ghost + abi.Sysno(m.choose(5)))
				r.Then = pick(m, []Action{ActionAllow, ActionTrace, ActionNotify, r.Then})
			}
			t.Rules = append(t.Rules, r)
		}
		f.Tables = append(f.Tables, t)
	}
	return f
}

// everyCall returns calls of all numbers with random arguments.
func (m maker) everyCall(f *Filter) []Data {
	var calls []Data
	add := func(nr abi.Sysno) {
		d := Data{Nr: nr, Arch: abi.Native().Audit()}
		table := f.table(d.Arch, isX32(d))
		count := 1
		if table != nil && table.conditional(nr) {
			count = 10
		}
		for range count {
			d.Args = m.args(table, nr)
			calls = append(calls, d)
		}
	}
	for nr := range ghost + 10 {
		// Since Linux 6.14 uretprobe and uprobe pass every filter, and end a process
		// that is not being probed (seccomp_uprobe_exception in kernel/seccomp.c).
		if abi.Native() == abi.AMD64 && (nr == 335 || nr == 336) {
			continue
		}
		add(nr)
		add(nr | abi.X32Bit)
	}
	for _, nr := range []abi.Sysno{1<<30 - 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
		add(nr)
	}
	return calls
}

func TestKernelRandom(t *testing.T) {
	needSeccomp(t)
	filters := programs(60)
	for user, uid := range users() {
		t.Run(user, func(t *testing.T) {
			made := 0
			for seed := range filters {
				m := randomMaker(uint64(seed))
				f := m.harmless()
				p, err := f.Compile()
				if err != nil {
					t.Fatalf("Compile(%+v) = %v; want no error", f, err)
				}
				calls := m.everyCall(&f)
				answers, complaint, err := startVictim(p, calls, uid)
				if err != nil {
					t.Fatalf("victim: %v\n%s", err, complaint)
				}
				for i, d := range calls {
					a, _, err := p.Run(d)
					want, ok := a.want()
					if !ok || err != nil {
						t.Fatalf("Run(%+v) = %v, %v; want an action that refuses", d, a, err)
					}
					if answers[i] != want {
						t.Fatalf("the kernel answers errno %d to %+v; want %d as Run says\n%v", answers[i].Errno, d, want.Errno, p)
					}
				}
				made += len(calls)
			}
			t.Logf("%d filters, %d calls", filters, made)
		})
	}
}

// programs returns how many programs to try, each with a victim of its own.
func programs(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// TestKernelKills loads programs whose actions end the victim or its thread.
func TestKernelKills(t *testing.T) {
	needSeccomp(t)
	when := []Cond{{Arg: 1, Op: Equal, Values: []uint64{1 << 32}}}
	for user, uid := range users() {
		for _, action := range []Action{ActionKillProcess, ActionKillThread, Trap(7)} {
			t.Run(user+"/"+action.String(), func(t *testing.T) {
				// All else is allowed: the runtime's signal handler makes calls.
				f := Filter{Tables: []Table{{Arch: abi.Native(), Default: ActionAllow, Rules: []Rule{
					{Nr: ghost, When: when, Then: action},
					{Nr: ghost, Then: Errno(1000)},
				}}}}
				p, err := f.Compile()
				if err != nil {
					t.Fatal(err)
				}
				spared := Data{Nr: ghost, Args: [6]uint64{0, 1}}
				answers, complaint, err := startVictim(p, []Data{spared}, uid)
				if err != nil || answers[0].Errno != 1000 {
					t.Fatalf("victim that does nothing: %v, %v %s; want errno 1000", answers, err, complaint)
				}
				hit := Data{Nr: ghost, Args: [6]uint64{0, 1 << 32}}
				answers, complaint, err = startVictim(p, []Data{hit}, uid)
				if got := fate(answers, complaint, err); got != action.Kind() {
					t.Errorf("victim: %v, %v\n%s; want %v", answers, err, complaint, action)
				}
			})
		}
	}
}

// fate tells from a victim's end which action it met.
func fate(answers []answer, complaint string, err error) Action {
	var exit *exec.ExitError
	switch {
	case err == nil && answers[0].Errno == threadKilled:
		return ActionKillThread
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGSYS:
		return ActionKillProcess
	case errors.As(err, &exit) && strings.Contains(complaint, "SIGSYS: bad system call"): // the Go runtime's handler
		return ActionTrap
	}
	return ActionAllow
}

// TestKernelValidates holds Validate to the kernel's judgement of programs.
func TestKernelValidates(t *testing.T) {
	needSeccomp(t)
	good, programs := 0, programs(100)
	for seed := range programs {
		p := randomMaker(uint64(seed)).program()
		_, complaint, err := startVictim(p, nil, -1)
		if err != nil && !strings.Contains(complaint, syscall.EINVAL.Error()) {
			t.Fatalf("victim: %v\n%s", err, complaint)
		}
		if invalid := p.Validate(); (invalid == nil) != (err == nil) {
			t.Fatalf("Validate() = %v, but the kernel says: %v %s\n%v", invalid, err, complaint, p)
		}
		if err == nil {
			good++
		}
	}
	if good < programs/10 || good > programs*9/10 {
		t.Errorf("%d of %d programs are valid; want some of each", good, programs)
	}
}

// TestKernelInterprets holds Run to what the kernel computes in programs of all
// instructions, and that end with an errno made of the accumulator.
func TestKernelInterprets(t *testing.T) {
	needSeccomp(t)
	valid, programs := 0, programs(150)
	for seed := range programs {
		m := randomMaker(uint64(seed))
		p := m.program()
		for pc := range p {
			switch {
			case p[pc].Code&0x07 == classRET:
				p[pc] = Instruction{Code: classALU | aluNEG}
			case p[pc].Code == opLoad && (p[pc].K == offIP || p[pc].K == offIP+4):
				p[pc].K = offLow(0) // Run can't know the address of the call
			}
		}
		p = append(p, Instruction{Code: opAnd, K: 0x7ff}, Instruction{Code: classALU | aluOR, K: uint32(Errno(0x400))},
			Instruction{Code: classRET | retA})
		if p.Validate() != nil {
			continue
		}
		valid++
		calls := make([]Data, 20)
		for i := range calls {
			calls[i] = Data{Nr: ghost + abi.Sysno(i), Arch: abi.Native().Audit(), Args: m.args(nil, 0)}
		}
		answers, complaint, err := startVictim(p, calls, -1)
		if err != nil {
			t.Fatalf("victim: %v\n%s", err, complaint)
		}
		for i, d := range calls {
			a, _, err := p.Run(d)
			if a == ActionKillThread && answers[i].Errno == threadKilled {
				break // division by zero ends the program with 0
			}
			if want, _ := a.want(); answers[i] != want || err != nil {
				t.Fatalf("the kernel answers errno %d to %+v; want %d as Run says (%v, %v)\n%v", answers[i].Errno, d, want.Errno, a, err, p)
			}
		}
	}
	if valid < programs/4 {
		t.Errorf("%d of %d programs are valid; want a quarter at least", valid, programs)
	}
}
