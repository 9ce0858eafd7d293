package notify

import (
	"encoding/gob"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
	"github.com/callgate/callgate/internal/sys"
)

// asVictim, in the environment, makes the test's program a victim: one that
// obeys, or one of the programs.
const asVictim = "CALLGATE_TEST_VICTIM"

func TestMain(m *testing.M) {
	switch name, rest, _ := strings.Cut(os.Getenv(asVictim), ":"); {
	case name == "obey":
		beVictim()
	case name != "":
		// Not SysProcAttr.Pdeathsig, which would make a getppid of its own.
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		os.Exit(programs()[name](rest))
	default:
		os.Exit(m.Run())
	}
}

// order is what a victim is told to do: make a call, show some bytes, tell of a
// descriptor, or run a program.
type order struct {
	ID    int
	Nr    uintptr
	Args  [6]uint64
	Put   []byte
	Stat  int // a descriptor, of which the file and the flags are wanted
	Spawn string
}

type report struct {
	ID          int
	Value       int64 // of a call; a program's exit status
	Errno       int
	Dev, Ino    uint64
	CloseOnExec bool
}

// beVictim obeys, each order on a thread of its own.
func beVictim() {
	orders, reports := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)
	var mutex sync.Mutex
	for {
		var o order
		if orders.Decode(&o) != nil {
			return
		}
		go func() {
			runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
			r := obey(o)
			mutex.Lock()
			defer mutex.Unlock()
			reports.Encode(r)
		}()
	}
}

func obey(o order) report {
	switch {
	case o.Put != nil:
		return report{ID: o.ID, Value: int64(put(o.Put))}
	case o.Stat > 0:
		var stat unix.Stat_t
		if err := unix.Fstat(o.Stat, &stat); err != nil {
			return report{ID: o.ID, Errno: int(err.(syscall.Errno))}
		}
		flags, _ := unix.FcntlInt(uintptr(o.Stat), unix.F_GETFD, 0)
		return report{ID: o.ID, Dev: uint64(stat.Dev), Ino: stat.Ino, CloseOnExec: flags&unix.FD_CLOEXEC != 0}
	case o.Spawn != "":
		return report{ID: o.ID, Value: int64(spawn(o.Spawn))}
	}
	a := o.Args
	value, _, errno := unix.Syscall6(o.Nr, uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
	return report{ID: o.ID, Value: int64(value), Errno: int(errno)}
}

// put shows bytes at the end of a page before one that is not there.
func put(b []byte) uint64 {
	page := os.Getpagesize()
	size := (len(b) + page - 1) / page * page
	memory, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, uintptr(size+page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_MPROTECT, memory+uintptr(size), uintptr(page), unix.PROT_NONE); errno != 0 {
		panic(errno)
	}
	address := uint64(memory) + uint64(size-len(b))
	if _, err := sys.WriteTask(os.Getpid(), b, address); err != nil {
		panic(err)
	}
	return address
}

// victim is a process of the kernel's, as a gatetest.Victim.
type victim struct {
	t      testing.TB
	orders *os.File
	child  *sys.Child
	group  int           // of the target and what it starts, for init to reap
	ended  chan struct{} // closed when init is gone
	silent chan struct{} // closed when the victim is: its last thread held the pipe

	mutex   sync.Mutex
	encoder *gob.Encoder
	next    int
	answers map[int]chan report
}

// stopped are the victim's calls that stop: openat where the folder is
// descriptor 0, which the Go runtime never asks for, getppid and mkdirat.
var stopped = []sys.FilterInstruction{
	{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // nr
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 5, K: unix.SYS_GETPPID},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 4, K: unix.SYS_MKDIRAT},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 2, K: unix.SYS_OPENAT},
	{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // args[0], its low half
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: 0},
	{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
}

// openVictim starts a victim and listens to it.
func openVictim(t *testing.T) (gate.Source, gatetest.Victim) {
	listener, v := startVictim(t, killable())
	return listener, v
}

// killable is the flag for a wait that no signal but a deadly one ends, where the
// kernel has that.
func killable() uintptr {
	if sys.HasKillableWait() != nil {
		return 0
	}
	return sys.WaitKillable
}

func startVictim(t testing.TB, flags uintptr) (*Listener, *victim) {
	t.Helper()
	if err := sys.HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	stdin, orders, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reports, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, orders: orders, ended: make(chan struct{}), silent: make(chan struct{}), encoder: gob.NewEncoder(orders), answers: map[int]chan report{}}
	failed := make(chan error, 1)
	go v.run(failed, flags, theirs, stdin, stdout)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	go v.read(reports)
	file, err := sys.ReceiveFile(ours, "listener")
	if err != nil {
		step, errno := v.child.Failure()
		t.Fatalf("%v: %v, %v", err, step, errno)
	}
	listener, err := Listen(file)
	if err != nil {
		t.Fatal(err)
	}
	if v.group = int((<-v.tell(callOf("getpid", nil))).Value); v.group <= 1 {
		t.Fatalf("the victim's number is %d", v.group)
	}
	return listener, v
}

// run lives as long as the victim does, whose init dies with this thread.
func (v *victim) run(failed chan<- error, flags uintptr, socket, stdin, stdout *os.File) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(v.ended)
	program, err := os.Executable()
	if err != nil {
		failed <- err
		return
	}
	child, err := sys.Start(0, sys.Early{Listens: true})
	if err != nil {
		failed <- err
		return
	}
	var init, target sys.Script
	init.AdoptOrphans()
	target.DieWithParent()
	target.NewSession() // a group of its own, to be killed without init
	target.CloseOnExec(3)
	target.Duplicate(int(stdin.Fd()), 0)
	target.Duplicate(int(stdout.Fd()), 1)
	target.NoNewPrivileges()
	target.SignalMask()
	target.Listen(stopped, flags, int(socket.Fd()), true)
	target.Exec([]string{program}, []string{"victim"}, []string{asVictim + "=obey"})
	v.child = child
	child.Build(&init, &target, 0, 1, 2, int(stdin.Fd()), int(stdout.Fd()), int(socket.Fd()))
	child.Run()
	for _, f := range []*os.File{socket, stdin, stdout} {
		f.Close()
	}
	failed <- nil
	child.Wait()
	child.Release()
}

// read hands reports to those who wait for them.
func (v *victim) read(reports *os.File) {
	defer close(v.silent)
	defer reports.Close()
	decoder := gob.NewDecoder(reports)
	for {
		var r report
		if decoder.Decode(&r) != nil {
			return
		}
		v.mutex.Lock()
		v.answers[r.ID] <- r
		delete(v.answers, r.ID)
		v.mutex.Unlock()
	}
}

// tell gives an order and returns where its report will be.
func (v *victim) tell(o order) <-chan report {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.next++
	o.ID = v.next
	answer := make(chan report, 1)
	v.answers[o.ID] = answer
	if err := v.encoder.Encode(o); err != nil {
		v.t.Errorf("tell the victim: %v", err)
	}
	return answer
}

func (v *victim) Put(b []byte) uint64 { return uint64((<-v.tell(order{Put: b})).Value) }

func callOf(name string, args []uint64) order {
	number, _ := abi.Native().Number(name)
	o := order{Nr: uintptr(number)}
	copy(o.Args[:], args)
	return o
}

func (v *victim) Call(name string, args ...uint64) gatetest.Result {
	r := <-v.tell(callOf(name, args))
	if r.Errno != 0 {
		return gatetest.Result{Errno: abi.Errno(r.Errno)}
	}
	return gatetest.Result{Value: r.Value}
}

// Leave ends the whole victim: nothing less moves a task that waits killably.
func (v *victim) Leave(name string, leave <-chan struct{}, args ...uint64) {
	v.tell(callOf(name, args))
	<-leave
	v.End()
}

func (v *victim) Holds(fd int64, file os.FileInfo) bool {
	r := <-v.tell(order{Stat: int(fd)})
	stat := file.Sys().(*syscall.Stat_t)
	return r.Errno == 0 && r.Dev == uint64(stat.Dev) && r.Ino == stat.Ino
}

func (v *victim) End() {
	if err := unix.Kill(-v.group, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		v.t.Errorf("end the victim: %v", err)
	}
	<-v.ended
	<-v.silent
	v.orders.Close()
}
