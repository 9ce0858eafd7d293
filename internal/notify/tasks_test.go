package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/gate"
)

// next receives a call.
func next(t testing.TB, listener *Listener) *gate.Trap {
	t.Helper()
	trap, err := listener.Next(context.Background())
	if err != nil {
		t.Fatalf("Next() = %v", err)
	}
	return trap
}

// nextTwo receives a getppid and a mkdirat, in whichever order they come.
func nextTwo(t testing.TB, listener *Listener) (getppid, mkdirat *gate.Trap) {
	t.Helper()
	getppid, mkdirat = next(t, listener), next(t, listener)
	if getppid.Nr == unix.SYS_MKDIRAT {
		getppid, mkdirat = mkdirat, getppid
	}
	if getppid.Nr != unix.SYS_GETPPID || mkdirat.Nr != unix.SYS_MKDIRAT {
		t.Fatalf("received %v and %v; want a getppid and a mkdirat", getppid.Call, mkdirat.Call)
	}
	return getppid, mkdirat
}

func answer(t testing.TB, listener *Listener, trap *gate.Trap, value int64) {
	t.Helper()
	if _, err := listener.Answer(trap, gate.Return(value)); err != nil {
		t.Errorf("Answer() = %v", err)
	}
}

// checkGone checks that a trap gives and takes nothing any more.
func checkGone(t testing.TB, listener *Listener, trap *gate.Trap) {
	t.Helper()
	if text, err := trap.Path(1); !errors.Is(err, gate.ErrGone) {
		t.Errorf("Path() = %q, %v; want ErrGone", text, err)
	}
	if err := trap.Write(trap.Args[1], []byte("x")); !errors.Is(err, gate.ErrGone) {
		t.Errorf("Write() = %v; want ErrGone", err)
	}
	if _, err := listener.Answer(trap, gate.Return(0)); !errors.Is(err, gate.ErrGone) {
		t.Errorf("Answer() = %v; want ErrGone", err)
	}
}

// A thread that is stopped leaves with its program. The process goes on under
// its number, and its new calls stop too.
func TestExecInMidCall(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	done := v.tell(order{Spawn: "exec"})
	stopped, question := nextTwo(t, listener)
	answer(t, listener, question, 0)
	after := next(t, listener)
	checkGone(t, listener, stopped)
	answer(t, listener, after, 9)
	if r := <-done; r.Value != 9 {
		t.Errorf("after execve, the program saw %d; want 9", r.Value)
	}
}

// Signals that have a handler, with SA_RESTART and without, as Go's own for
// preemption, leave a call waiting where the kernel can do that.
func TestSignalInMidCall(t *testing.T) {
	if killable() == 0 {
		t.Skip("kernel lacks: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")
	}
	for _, signal := range []syscall.Signal{unix.SIGURG, unix.SIGALRM, 62} {
		listener, v := startVictim(t, killable())
		done := v.tell(order{Spawn: fmt.Sprintf("signal:%d", signal)})
		stopped, question := nextTwo(t, listener)
		answer(t, listener, question, 0)
		sent := next(t, listener)
		if sent.Nr != unix.SYS_MKDIRAT {
			t.Fatalf("%v: received %v; want that no call was made again", signal, sent.Call)
		}
		if text, err := trapText(stopped); text != "here" || err != nil {
			t.Errorf("%v: Path() = %q, %v; want that the call still waits", signal, text, err)
		}
		answer(t, listener, stopped, 7)
		answer(t, listener, sent, 0)
		if r := <-done; r.Value != 7 {
			t.Errorf("%v: the program saw %d; want 7, the answer", signal, r.Value)
		}
		v.End()
		listener.Close()
	}
}

func trapText(trap *gate.Trap) (string, error) { return trap.Path(1) }

// Without that flag a call leaves for a signal, and is made again or fails with
// EINTR; an answer to the first reaches nobody.
func TestSignalEndsCall(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		want   int64
	}{
		{unix.SIGURG, 7},
		{62, 100 + int64(unix.EINTR)},
	} {
		listener, v := startVictim(t, 0)
		done := v.tell(order{Spawn: fmt.Sprintf("signal:%d", c.signal)})
		first, question := nextTwo(t, listener)
		answer(t, listener, question, 0)
		go func() { // as often as it is made
			for {
				trap, err := listener.Next(context.Background())
				if err != nil {
					return
				}
				listener.Answer(trap, gate.Return(7))
			}
		}()
		if r := <-done; r.Value != c.want {
			t.Errorf("%v: the program saw %d; want %d", c.signal, r.Value, c.want)
		}
		checkGone(t, listener, first)
		v.End()
		listener.Close()
	}
}

// A process that is stopped in mid-call is answered all the same.
func TestStopInMidCall(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	done := v.tell(order{Spawn: "ask"})
	trap := next(t, listener)
	pid := listener.Identify(trap).PID
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if killable() == 0 { // the call was left, and is made again
		unix.Kill(pid, unix.SIGCONT)
		trap = next(t, listener)
	}
	answer(t, listener, trap, 7)
	unix.Kill(pid, unix.SIGCONT)
	if r := <-done; r.Value != 7 {
		t.Errorf("the program saw %d; want 7", r.Value)
	}
}

// Calls wait in the kernel: a thousand take no thread, descriptor or memory.
func TestThousandStopped(t *testing.T) {
	const calls = 1000
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	var reports []<-chan report
	for range calls {
		reports = append(reports, v.tell(callOf("getppid", nil)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	most := 0
	count := func(context.Context, *gate.Trap) gate.Verdict {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Error(err)
		}
		most = max(most, len(tasks))
		return gate.Return(1)
	}
	before, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	g := gate.Gate{Source: listener, Handler: gate.HandlerFunc(count), Receivers: 1}
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	for _, r := range reports {
		if r := <-r; r.Value != 1 {
			t.Errorf("a call saw %+v; want 1", r)
		}
	}
	cancel()
	<-served
	if most > len(before)+runtime.GOMAXPROCS(0)+4 {
		t.Errorf("%d threads while %d calls were stopped; there were %d before", most, calls, len(before))
	}
}

// A tree of processes that grows on is answered to its last leaf.
func TestBomb(t *testing.T) {
	const depth, processes = 4, 31
	listener, v := startVictim(t, killable())
	g := gate.Gate{Source: listener, Receivers: 2, Handler: gate.HandlerFunc(func(context.Context, *gate.Trap) gate.Verdict { return gate.Return(1) })}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	if r := <-v.tell(order{Spawn: fmt.Sprintf("bomb:%d", depth)}); r.Value != processes {
		t.Errorf("%d processes were answered; want %d", r.Value, processes)
	}
	v.End()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v; want nil at the last one's end", err)
	}
	listener.Close()
}
