package gatetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// Victim makes the calls that a Source catches: openat, getppid and mkdirat.
type Victim interface {
	// Put places bytes in the tasks' memory so that they end with the last page
	// that is there, and returns their address.
	Put([]byte) uint64
	// Call makes a call, in a task that nobody else uses meanwhile, and returns
	// what the task saw.
	Call(name string, args ...uint64) Result
	// Leave makes a call and has its task leave it, unanswered, when the
	// channel is closed. It returns when the task has left.
	Leave(name string, leave <-chan struct{}, args ...uint64)
	// Holds reports whether a task's descriptor leads to the file.
	Holds(fd int64, file os.FileInfo) bool
	// End ends every task.
	End()
}

// Result is what a task saw of its call: a value, or an errno that is not 0.
type Result struct {
	Value int64
	Errno abi.Errno
}

// Run tests a Source. Open returns a new one, and its victim, which makes none of
// these calls of its own accord. A Source that is an io.Closer is closed.
func Run(t *testing.T, open func(*testing.T) (gate.Source, Victim)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, gate.Source, Victim)
	}{
		{"Verdicts", testVerdicts},
		{"Give", testGive},
		{"GiveFails", testGiveFails},
		{"Memory", testMemory},
		{"Gone", testGone},
		{"AnsweredOnce", testAnsweredOnce},
		{"Parallel", testParallel},
		{"End", testEnd},
		{"Cancel", testCancel},
		{"CancelStorm", testCancelStorm},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := resources()
			source, victim := open(t)
			test.run(t, source, victim)
			if test.name != "End" && test.name != "Gone" {
				victim.End()
			}
			if closer, ok := source.(io.Closer); ok {
				if err := closer.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			}
			if err := settle(before); err != nil {
				t.Error(err)
			}
		})
	}
}

// serve answers the victim's calls with a handler while do runs.
func serve(t *testing.T, source gate.Source, handler gate.HandlerFunc, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	g := &gate.Gate{Source: source, Handler: handler, Receivers: 4}
	go func() { served <- g.Serve(ctx) }()
	do()
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve() = %v; want the context's error", err)
	}
}

func testVerdicts(t *testing.T, source gate.Source, victim Victim) {
	for _, c := range []struct {
		name    string
		verdict gate.Verdict
		want    Result
	}{
		{"zero", gate.Verdict{}, Result{Errno: abi.ENOSYS}},
		{"Fail(nil)", gate.Fail(nil), Result{Errno: abi.ENOSYS}},
		{"Fail(EACCES)", gate.Fail(abi.EACCES), Result{Errno: abi.EACCES}},
		{"Fail(other)", gate.Fail(errors.New("some reason")), Result{Errno: abi.EIO}},
		{"Return(0)", gate.Return(0), Result{}},
		{"Return(42)", gate.Return(42), Result{Value: 42}},
		{"Return(1<<40)", gate.Return(1 << 40), Result{Value: 1 << 40}},
	} {
		serve(t, source, func(context.Context, *gate.Trap) gate.Verdict { return c.verdict }, func() {
			if got := victim.Call("getppid"); got != c.want {
				t.Errorf("%s: the task saw %+v; want %+v", c.name, got, c.want)
			}
		})
	}
	serve(t, source, func(context.Context, *gate.Trap) gate.Verdict { return gate.Continue() }, func() {
		if got := victim.Call("getppid"); got.Errno != 0 {
			t.Errorf("Continue(): the task saw %+v; want no error", got)
		}
	})
}

func testGive(t *testing.T, source gate.Source, victim Victim) {
	file, info := tempFile(t)
	give := func(context.Context, *gate.Trap) gate.Verdict { return gate.Give(file, true) }
	serve(t, source, give, func() {
		if got := victim.Call("openat"); got.Errno != 0 || !victim.Holds(got.Value, info) {
			t.Errorf("the task saw %+v; want a descriptor of the file", got)
		}
	})
	if _, err := file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Answer, Stat() = %v; want that the file is closed", err)
	}
}

func testGiveFails(t *testing.T, source gate.Source, victim Victim) {
	file, _ := tempFile(t)
	file.Close()
	give := func(context.Context, *gate.Trap) gate.Verdict { return gate.Give(file, true) }
	serve(t, source, give, func() {
		if got := victim.Call("openat"); got.Errno == 0 {
			t.Errorf("given a closed file, the task saw %+v; want an error", got)
		}
	})
}

func tempFile(t *testing.T) (*os.File, os.FileInfo) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return file, info
}

func testMemory(t *testing.T, source gate.Source, victim Victim) {
	long := strings.Repeat("x", gate.PathMax-1)
	for _, c := range []struct {
		name    string
		address uint64
		want    string
		err     error
	}{
		{"text at a page's end", victim.Put([]byte("/etc/passwd\x00")), "/etc/passwd", nil},
		{"empty text", victim.Put([]byte{0}), "", nil},
		{"text across pages", victim.Put([]byte(long + "\x00")), long, nil},
		{"text too long", victim.Put([]byte(long + "xx\x00")), "", abi.ENAMETOOLONG},
		{"text without an end", victim.Put([]byte("/etc/passwd")), "", abi.EFAULT},
		{"null", 0, "", abi.EFAULT},
		{"the last address", 1<<64 - 1, "", abi.EFAULT},
		{"the kernel's half", 1 << 63, "", abi.EFAULT},
		{"the kernel's half, less one", 1<<63 - 1, "", abi.EFAULT},
	} {
		look := func(_ context.Context, trap *gate.Trap) gate.Verdict {
			got, err := trap.Path(1)
			if got != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("%s: Path(1) = %.40q, %v; want %.40q, %v", c.name, got, err, c.want, c.err)
			}
			return gate.Fail(err)
		}
		serve(t, source, look, func() { victim.Call("openat", 0, c.address) })
	}
	address := victim.Put([]byte("before\x00"))
	once := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		first, err := trap.Path(1)
		if err == nil {
			err = trap.Write(address, []byte("after!"))
		}
		if again, _ := trap.Path(1); err != nil || first != "before" || again != first {
			t.Errorf("Path(1) = %q, %v, and then, when memory had changed, %q; want the same", first, err, again)
		}
		return gate.Return(0)
	}
	serve(t, source, once, func() { victim.Call("openat", 0, address) })
	change := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		if err := trap.Write(address, []byte("behind")); err != nil {
			t.Errorf("Write() = %v", err)
		}
		if err := trap.Write(address, make([]byte, 8)); !errors.Is(err, abi.EFAULT) {
			t.Errorf("Write() past the end = %v; want EFAULT", err)
		}
		return gate.Return(0)
	}
	serve(t, source, change, func() { victim.Call("getppid") })
}

func testGone(t *testing.T, source gate.Source, victim Victim) {
	address := victim.Put([]byte("/etc/passwd\x00"))
	leave, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		victim.Leave("openat", leave, 0, address)
	}()
	trap, err := source.Next(context.Background())
	if err != nil {
		t.Fatalf("Next() = %v", err)
	}
	close(leave)
	<-left
	if text, err := trap.Path(1); !errors.Is(err, gate.ErrGone) {
		t.Errorf("after the task left, Path(1) = %q, %v; want ErrGone", text, err)
	}
	if _, err := source.Answer(trap, gate.Return(0)); !errors.Is(err, gate.ErrGone) {
		t.Errorf("after the task left, Answer() = %v; want ErrGone", err)
	}
}

func testAnsweredOnce(t *testing.T, source gate.Source, victim Victim) {
	saw := make(chan Result, 1)
	go func() { saw <- victim.Call("getppid") }()
	trap, err := source.Next(context.Background())
	if err != nil {
		t.Fatalf("Next() = %v", err)
	}
	if _, err := source.Answer(trap, gate.Return(7)); err != nil {
		t.Errorf("Answer() = %v", err)
	}
	if _, err := source.Answer(trap, gate.Return(8)); !errors.Is(err, gate.ErrGone) {
		t.Errorf("the second Answer() = %v; want ErrGone", err)
	}
	if got := <-saw; got != (Result{Value: 7}) {
		t.Errorf("the task saw %+v; want the first answer", got)
	}
}

func testParallel(t *testing.T, source gate.Source, victim Victim) {
	const tasks, calls = 8, 100
	same := func(_ context.Context, trap *gate.Trap) gate.Verdict { return gate.Return(int64(trap.Args[0])) }
	serve(t, source, same, func() {
		var group sync.WaitGroup
		for task := range uint64(tasks) {
			group.Go(func() {
				for i := range uint64(calls) {
					want := task*calls + i
					if got := victim.Call("getppid", want); got != (Result{Value: int64(want)}) {
						t.Errorf("the task saw %+v; want the answer to its own call, %d", got, want)
					}
				}
			})
		}
		group.Wait()
	})
}

func testEnd(t *testing.T, source gate.Source, victim Victim) {
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { _, err := source.Next(context.Background()); ended <- err }()
	}
	victim.End()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("after the end, Next() = %v; want io.EOF", err)
		}
	}
}

func testCancel(t *testing.T, source gate.Source, _ Victim) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { _, err := source.Next(ctx); ended <- err }()
	}
	time.Sleep(10 * time.Millisecond) // so that some wait already; it holds for those that come late, too
	cancel()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Next() = %v; want the context's error", err)
		}
	}
}

// testCancelStorm has contexts end all the time: each call is answered all the
// same, for none is lost between the source and a receiver that gives up.
func testCancelStorm(t *testing.T, source gate.Source, victim Victim) {
	const receivers, calls, ends = 3, 200, 200
	for range ends {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		if _, err := source.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Next() = %v; want the context's error", err)
		}
	}
	var group sync.WaitGroup
	all, stop := context.WithCancel(context.Background())
	for range receivers {
		group.Go(func() {
			for i := 0; all.Err() == nil; i++ {
				ctx, cancel := context.WithCancel(all)
				if i%4 > 0 { // or no call might ever be taken
					go cancel()
				}
				trap, err := source.Next(ctx)
				cancel()
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("Next() = %v; want a trap, or the context's error", err)
						return
					}
					continue
				}
				if _, err := source.Answer(trap, gate.Return(int64(trap.Args[0]))); err != nil {
					t.Errorf("Answer() = %v", err)
				}
			}
		})
	}
	for i := range uint64(calls) {
		if got := victim.Call("getppid", i); got != (Result{Value: int64(i)}) {
			t.Errorf("the task saw %+v; want %d", got, i)
		}
	}
	stop()
	group.Wait()
}

// held counts what a Source might leave behind.
type held struct{ goroutines, descriptors int }

func resources() held {
	entries, _ := os.ReadDir("/proc/self/fd") // none outside of Linux
	return held{runtime.NumGoroutine(), len(entries)}
}

// settle waits until no more is held than before.
func settle(before held) error {
	var now held
	for range 500 {
		if now = resources(); now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("left behind: %d goroutines and %d descriptors; there were %d and %d",
		now.goroutines, now.descriptors, before.goroutines, before.descriptors)
}
