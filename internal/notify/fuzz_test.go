package notify

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// move is one call of a fuzzed victim, and what is made of it.
type move struct {
	call    string
	verdict byte
	value   int64
	address uint64
}

// movesOf reads calls from fuzzed bytes, 17 each.
func movesOf(data []byte, there uint64) []move {
	var moves []move
	for len(data) >= 17 && len(moves) < 16 {
		m := move{
			call:    []string{"getppid", "openat", "mkdirat"}[data[0]%3],
			verdict: data[0] / 3 % 6,
			value:   int64(binary.LittleEndian.Uint64(data[1:])),
			address: binary.LittleEndian.Uint64(data[9:]),
		}
		if data[0] >= 128 {
			m.address = there + m.address%64 // close to a page's end
		}
		moves, data = append(moves, m), data[17:]
	}
	return moves
}

// decide is what a monitor makes of a move; nothing else may reach the task.
func (m move) decide(trap *gate.Trap) gate.Verdict {
	switch m.verdict {
	case 0:
		return gate.Return(m.value)
	case 1:
		file, err := os.Open(os.DevNull)
		if err != nil {
			return gate.Fail(err)
		}
		return gate.Give(file, m.value&1 == 0)
	case 2:
		if text, err := trap.Path(1); err != nil || len(text) >= gate.PathMax {
			return gate.Fail(err)
		}
		return gate.Fail(abi.EACCES)
	case 3:
		if err := trap.Write(m.address, []byte("changed")); err != nil {
			return gate.Fail(err)
		}
		return gate.Return(0)
	case 4:
		panic("a handler's mistake")
	}
	return gate.Verdict{}
}

// check holds what the task saw against the move.
func (m move) check(t *testing.T, v *victim, saw report) {
	t.Helper()
	errno := abi.Errno(saw.Errno)
	switch m.verdict {
	case 0:
		if isErrno := m.value < 0 && m.value >= -4095; !isErrno && (errno != 0 || saw.Value != m.value) {
			t.Errorf("%+v: the task saw %+v", m, saw)
		}
	case 1:
		if errno != 0 {
			t.Fatalf("%+v: the task saw %+v", m, saw)
		}
		if r := <-v.tell(order{Stat: int(saw.Value)}); r.Errno != 0 || r.CloseOnExec != (m.value&1 == 0) {
			t.Errorf("%+v: the task has %+v", m, r)
		}
		if r := <-v.tell(callOf("close", []uint64{uint64(saw.Value)})); r.Errno != 0 {
			t.Errorf("%+v: the task was given %d, and can't close it: %+v", m, saw.Value, r)
		}
	case 2:
		if errno != abi.EACCES && errno != abi.EFAULT && errno != abi.ENAMETOOLONG {
			t.Errorf("%+v: the task saw %+v", m, saw)
		}
	case 3:
		if errno != 0 && errno != abi.EFAULT {
			t.Errorf("%+v: the task saw %+v", m, saw)
		}
	case 4:
		if errno != abi.EIO {
			t.Errorf("%+v: the task saw %+v", m, saw)
		}
	case 5:
		if errno != abi.ENOSYS {
			t.Errorf("%+v: the task saw %+v", m, saw)
		}
	}
}

// FuzzListener drives a live victim with calls, arguments and signals: each call
// ends as it was decided, and nothing is left behind.
func FuzzListener(f *testing.F) {
	listener, v := startVictim(f, killable())
	f.Cleanup(func() { v.End(); listener.Close() })
	there := v.Put(make([]byte, 64))
	f.Add([]byte{})
	f.Add(append(make([]byte, 17), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17))
	for verdict := range byte(6) {
		f.Add(append([]byte{verdict*3 + 128}, make([]byte, 16)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		moves := movesOf(data, there)
		descriptors, goroutines := countDescriptors(), runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(context.Background())
		decide := func(_ context.Context, trap *gate.Trap) gate.Verdict { return moves[trap.Args[5]].decide(trap) }
		g := gate.Gate{Source: listener, Handler: gate.HandlerFunc(decide), Receivers: 2}
		served := make(chan error, 1)
		go func() { served <- g.Serve(ctx) }()
		var saw []<-chan report
		for i, m := range moves {
			saw = append(saw, v.tell(callOf(m.call, []uint64{0, m.address, 0, 0, 0, uint64(i)})))
		}
		if len(data)%2 == 1 && killable() != 0 { // as Go's preemption does
			unix.Kill(-v.group, unix.SIGURG)
		}
		for i, m := range moves {
			m.check(t, v, <-saw[i])
		}
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve() = %v; want the context's error", err)
		}
		for range 1000 { // the context's own goroutine may end a little later
			if runtime.NumGoroutine() <= goroutines {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if d, g := countDescriptors(), runtime.NumGoroutine(); d > descriptors || g > goroutines {
			t.Errorf("left behind: %d descriptors and %d goroutines; there were %d and %d", d, g, descriptors, goroutines)
		}
	})
}

func countDescriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}
