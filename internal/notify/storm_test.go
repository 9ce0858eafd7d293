package notify

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/gate"
)

// echo answers calls of a program with their first argument, and returns how the
// program ended and how many answers reached it.
func echo(t *testing.T, flags uintptr, program string) (status, answers int64) {
	t.Helper()
	listener, v := startVictim(t, flags)
	defer listener.Close()
	defer v.End()
	counted := &counting{Listener: listener}
	handler := func(_ context.Context, trap *gate.Trap) gate.Verdict { return gate.Return(int64(trap.Args[0])) }
	g := gate.Gate{Source: counted, Receivers: 2, Handler: gate.HandlerFunc(handler)}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	status = (<-v.tell(order{Spawn: program})).Value
	cancel()
	<-served
	return status, counted.answers.Load()
}

// counting counts the answers that reached a task.
type counting struct {
	*Listener
	answers atomic.Int64
}

func (c *counting) Answer(trap *gate.Trap, verdict gate.Verdict) (int64, error) {
	result, err := c.Listener.Answer(trap, verdict)
	if err == nil {
		c.answers.Add(1)
	}
	return result, err
}

// Signals at any moment, as a Go program's preemption sends them, change no
// answer. With the wait that they can't end, none is given twice either.
func TestSignalStorm(t *testing.T) {
	const calls = 3000
	program := fmt.Sprintf("storm:%d", calls)
	if status, answers := echo(t, 0, program); status != 0 || answers < calls {
		t.Errorf("%d calls saw another's answer, and %d of %d were answered", status, answers, calls)
	}
	if killable() == 0 {
		t.Skip("kernel lacks: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")
	}
	status, answers := echo(t, killable(), program)
	if status != 0 || answers < calls {
		t.Errorf("%d calls saw another's answer, and %d of %d were answered", status, answers, calls)
	}
	if answers > calls {
		t.Skipf("kernel lacks: answers that a signal does not undo (%d calls, %d answers)", calls, answers)
	}
}

// signalOurselves sends every thread of this process a signal, as Go's preemption
// does now and then, until it is stopped.
func signalOurselves() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
			}
			tasks, _ := os.ReadDir("/proc/self/task")
			for _, task := range tasks {
				if tid, err := strconv.Atoi(task.Name()); err == nil {
					unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// Signals to the monitor do not make a task that waits look like one that left:
// the kernel gives up answering where it has to wait for its lock, which takes
// long where many wait.
func TestSignalledMonitor(t *testing.T) {
	const tasks, askers, questions = 1000, 8, 10_000
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	var trap *gate.Trap
	for range tasks {
		v.tell(callOf("getppid", nil))
		trap = next(t, listener)
	}
	defer signalOurselves()()
	var group sync.WaitGroup
	var gone atomic.Int64
	for range askers {
		group.Go(func() {
			for range questions {
				if !listener.valid(trap.ID) {
					gone.Add(1)
				}
			}
		})
	}
	group.Wait()
	if n := gone.Load(); n > 0 {
		t.Errorf("a task that waits looked gone %d times of %d", n, askers*questions)
	}
}

// Signals to the monitor come between no descriptor and its task.
func TestSignalledGifts(t *testing.T) {
	const gifts = 5000
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	give := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return gate.Fail(err)
		}
		return gate.Give(file, true)
	}
	g := gate.Gate{Source: listener, Receivers: 2, Handler: gate.HandlerFunc(give)}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	stop := signalOurselves()
	if r := <-v.tell(order{Spawn: fmt.Sprintf("gifts:%d", gifts)}); r.Value != 0 {
		t.Errorf("%d of %d descriptors were none", r.Value, gifts)
	}
	stop()
	v.End()
	<-served
}

// What a monitor holds does not grow with the calls that it answered.
func TestFlood(t *testing.T) {
	const threads, calls, most = 8, 5000, 32 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if status, answers := echo(t, killable(), fmt.Sprintf("flood:%d", calls)); status != 0 || answers != threads*calls {
		t.Errorf("%d calls saw another's answer, and %d were answered; want %d", status, answers, threads*calls)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > most {
		t.Errorf("%d calls took %d MiB", threads*calls, grown>>20)
	}
}
