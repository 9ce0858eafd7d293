package notify

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

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
