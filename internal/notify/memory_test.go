package notify

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// A number that is another task's by now gives none of that one's memory: here
// it is this test's own.
func TestMemoryOfAnother(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	done := v.tell(callOf("getppid", nil))
	trap := next(t, listener)
	answer(t, listener, trap, 0)
	<-done
	secret := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	var got [8]byte
	other := &memory{listener, trap.ID, os.Getpid()}
	if n, err := other.ReadAt(got[:], int64(uintptr(unsafe.Pointer(&secret)))); n != 0 || !errors.Is(err, gate.ErrGone) {
		t.Errorf("ReadAt() = %d, %v; want ErrGone", n, err)
	}
	if n, err := other.WriteAt(make([]byte, len(secret)), int64(uintptr(unsafe.Pointer(&secret)))); n != 0 || !errors.Is(err, gate.ErrGone) || secret[0] != 1 {
		t.Errorf("WriteAt() = %d, %v, and the first byte is %d now; want ErrGone and 1", n, err, secret[0])
	}
}

// Memory that is not all there is an error, however much of it is asked for.
func TestMemoryLengths(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	page := uint64(os.Getpagesize())
	address := v.Put(make([]byte, page))
	done := v.tell(callOf("getppid", nil))
	trap := next(t, listener)
	for _, c := range []struct {
		name    string
		address uint64
		length  int
		want    error
	}{
		{"all of it", address, int(page), nil},
		{"its last byte", address + page - 1, 1, nil},
		{"one too many", address, int(page) + 1, abi.EFAULT},
		{"past it", address + page, 1, abi.EFAULT},
		{"odd, and across", address + page - 1, 2, abi.EFAULT},
		{"64 MiB", address, 64 << 20, abi.EFAULT},
		{"the first byte of none", 0, 1, abi.EFAULT},
		{"past user space", 1 << 56, 8, abi.EFAULT},
		{"the kernel", 0xffff_8880_0000_0000, 8, abi.EFAULT},
		{"around the end", 1<<64 - 4, 8, abi.EFAULT},
	} {
		if err := trap.Read(c.address, make([]byte, c.length)); !errors.Is(err, c.want) {
			t.Errorf("%s: Read() = %v; want %v", c.name, err, c.want)
		}
		if err := trap.Write(c.address, make([]byte, c.length)); !errors.Is(err, c.want) {
			t.Errorf("%s: Write() = %v; want %v", c.name, err, c.want)
		}
	}
	answer(t, listener, trap, 0)
	<-done
}

// Memory that the task has the kernel wait for keeps one receiver, not all; and
// not past the task's end.
func TestMemoryThatBlocks(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	looking, looked := make(chan bool), make(chan error, 1)
	look := func(_ context.Context, trap *gate.Trap) gate.Verdict {
		if trap.Nr != unix.SYS_MKDIRAT {
			return gate.Return(1)
		}
		close(looking)
		_, err := trap.Path(1)
		looked <- err
		return gate.Fail(err)
	}
	g := gate.Gate{Source: listener, Receivers: 2, Handler: gate.HandlerFunc(look)}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	done := v.tell(order{Spawn: "fault"})
	select {
	case r := <-done:
		t.Skipf("kernel lacks: userfaultfd for an ordinary user, or at all (status %d)", r.Value)
	case <-looking:
	}
	if got := v.Call("getppid"); got.Value != 1 {
		t.Errorf("beside a receiver that is kept, a call saw %+v; want 1", got)
	}
	v.End()
	if err := <-looked; err == nil {
		t.Error("Path() read what was never there")
	}
	if err := <-served; err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("Serve() = %v; want nil", err)
	}
}
