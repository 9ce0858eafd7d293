package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// A task that may have no more descriptors sees so, and nothing else.
func TestGiveToFullTask(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	done := v.tell(order{Spawn: "full"})
	trap := next(t, listener)
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listener.Answer(trap, gate.Give(file, true)); !errors.Is(err, abi.EMFILE) {
		t.Errorf("Answer() = %v; want EMFILE", err)
	}
	if r := <-done; r.Value != int64(unix.EMFILE) {
		t.Errorf("the task saw %d; want EMFILE", r.Value)
	}
}

// O_PATH descriptors can't be given, and the task is not left with one.
func TestGivePathOnly(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := v.tell(callOf("openat", nil))
	if _, err := listener.Answer(next(t, listener), gate.Give(os.NewFile(uintptr(fd), "/"), true)); !errors.Is(err, abi.EBADF) {
		t.Errorf("Answer() = %v; want EBADF", err)
	}
	if r := <-done; r.Errno != int(unix.EBADF) {
		t.Errorf("the task saw %+v; want EBADF", r)
	}
}

// The file that is given is shared: its mode stays as it was.
func TestGiveKeepsMode(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	for _, mode := range []int{0, unix.O_NONBLOCK} {
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|mode); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(ends[1])
		twin, err := unix.FcntlInt(uintptr(ends[0]), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(twin)
		for _, closeOnExec := range []bool{false, true} {
			again, err := unix.FcntlInt(uintptr(twin), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			done := v.tell(callOf("openat", nil))
			number, err := listener.Answer(next(t, listener), gate.Give(os.NewFile(uintptr(again), "pipe"), closeOnExec))
			if r := <-done; err != nil || r.Value != number {
				t.Fatalf("Answer() = %d, %v; the task saw %+v", number, err, r)
			}
			if flags, err := unix.FcntlInt(uintptr(twin), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != mode {
				t.Errorf("given with mode %#x, F_GETFL is %#x, %v", mode, flags, err)
			}
			if r := <-v.tell(order{Stat: int(number)}); r.Errno != 0 || r.CloseOnExec != closeOnExec {
				t.Errorf("given with close-on-exec %v, the task has %+v", closeOnExec, r)
			}
		}
		unix.Close(ends[0])
	}
}

// Close-on-exec is the task's: of two descriptors the next program has the one
// without it.
func TestGiveAcrossExec(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	give := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		file, err := os.Open(path)
		if err != nil {
			return gate.Fail(err)
		}
		return gate.Give(file, trap.Args[2] == 0)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := gate.Gate{Source: listener, Handler: gate.HandlerFunc(give)}
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	if r := <-v.tell(order{Spawn: "inherit"}); r.Value != 2 {
		t.Errorf("after execve the task has descriptors %b; want the second alone", r.Value)
	}
	cancel()
	<-served
}
