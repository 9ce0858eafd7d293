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
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/callgate/callgate/abi"
)

// The kernel tests load programs into the real kernel. A victim, the test
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
