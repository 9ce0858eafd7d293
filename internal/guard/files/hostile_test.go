package files

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/probe"
)

const seedOf = "CALLGATE_TEST_SEED"

// threads are how many of a hostile victim make calls.
const threads = 4

// beHostile makes random calls from many threads and processes at once, while
// others change the memory, the descriptors and the folders that the calls are about,
// send signals, and kill and stop those that wait.
func beHostile() {
	staged()
	seed, err := strconv.ParseUint(os.Getenv(seedOf), 10, 64)
	if err != nil {
		panic(err)
	}
	length, err := time.ParseDuration(os.Getenv(forTime))
	if err != nil {
		panic(err)
	}
	var read, made atomic.Int64
	calls := fuzzed(func(row) bool { return true })
	all := append(append([]string{}, guarded...), names...)
	var makers []*maker
	for i := range threads {
		m := newMaker(&tape{random: rand.New(rand.NewPCG(seed, uint64(i)))}, calls, all, len(guarded)+usualNames)
		makers = append(makers, m)
	}
	honest, _ := os.Getwd()
	honest += "/honest"
	disturb(seed, makers, all)
	for _, m := range makers {
		go m.makeAll(&read, &made)
	}
	time.Sleep(length)
	if text, err := os.ReadFile(honest); string(text) != "honest" && !os.IsPermission(err) {
		fmt.Printf("an honest call: %q, %v\n", text, err)
	}
	fmt.Printf("read %d of %d\n", read.Load(), made.Load())
	os.Exit(0)
}

// makeAll makes calls without end, and counts those that read a secret.
func (m *maker) makeAll(read, made *atomic.Int64) {
	runtime.LockOSThread()
	for {
		c := m.next()
		value, errno := c.do()
		made.Add(1)
		if errno != 0 || !c.opens() {
			continue
		}
		var text [len(secret)]byte
		if n, _ := unix.Pread(int(value), text[:], 0); string(text[:max(n, 0)]) == secret {
			read.Add(1)
			fmt.Println("read by", c.text)
		}
		if value > 112 {
			unix.Close(int(value))
		}
	}
}

// disturb changes what calls are about while they are made.
func disturb(seed uint64, makers []*maker, all []string) {
	if forkWaker() < 0 {
		panic("there is nobody to wake a victim that was stopped")
	}
	random := rand.New(rand.NewPCG(seed, 100))
	swap(func(int) { // memory
		for _, m := range makers {
			a := m.arenas[random.IntN(len(m.arenas))]
			text := guarded[random.IntN(len(guarded))]
			a.write(a.base, append([]byte(text), 0))
		}
		spin(random.IntN(5000))
	})
	vault, open, home := mustOpen("vault"), mustOpen("open"), mustOpen(".")
	descriptorChoice := []int{vault, open, home}
	swap(func(round int) { unix.Dup3(descriptorChoice[round%3], 100+round%2, 0); unix.Fchdir(home) })
	swap(func(round int) {
		unix.Renameat2(home, "vault", home, "open", unix.RENAME_EXCHANGE)
		unix.Unlinkat(home, "toward", 0)
		unix.Symlinkat([]string{".env", "fine", "vault/file", "x.locked", "/proc/self/fd/103"}[round%5], home, "toward")
		unix.Unlinkat(home, "sideways", 0)
		unix.Symlinkat([]string{"vault", "open", "..", "."}[round%4], home, "sideways")
		unix.Linkat(home, ".env", home, "fine", 0)
		time.Sleep(time.Microsecond * 50)
	})
	swap(func(int) { // what waits for its other end finds it
		for _, name := range all {
			if fd, err := unix.Openat(home, name, unix.O_RDWR|unix.O_NONBLOCK, 0); err == nil {
				unix.Close(fd)
			}
		}
		time.Sleep(5 * time.Millisecond)
	})
	swap(func(int) { // signals, as Go's preemption sends them
		tasks, _ := os.ReadDir("/proc/self/task")
		for _, task := range tasks {
			if tid, err := strconv.Atoi(task.Name()); err == nil {
				unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
			}
		}
		time.Sleep(time.Millisecond)
	})
	number := func(name string) uintptr { n, _ := abi.Native().Number(name); return uintptr(n) }
	doomed := []uintptr{number("openat"), number("mkdirat"), number("unlinkat"), number("fchownat")}
	var paths [][]byte
	for _, name := range []string{".env", "fifo", "fine", "x.locked"} {
		paths = append(paths, append([]byte(name), 0))
	}
	swap(func(round int) { // processes that are killed, end or stop everybody, in mid-call
		pid := forkDoomed(doomed[round%len(doomed)], home, &paths[round%len(paths)][0], round%7 == 0)
		if pid <= 0 {
			return
		}
		time.Sleep(time.Duration(round*7%300) * time.Microsecond)
		unix.Kill(pid, unix.SIGKILL)
		unix.Kill(os.Getpid(), unix.SIGCONT)
		unix.Wait4(pid, nil, 0, nil)
	})
	swap(func(round int) { // threads that end
		ended := make(chan struct{})
		go func() {
			runtime.LockOSThread() // and never unlock
			unix.Openat(home, ".env", unix.O_RDONLY, 0)
			close(ended)
		}()
		<-ended
		time.Sleep(time.Millisecond)
	})
}

// forkDoomed makes a process that makes a call again and again, and may stop its
// parent.
//
//go:norace
//go:nosplit
func forkDoomed(call uintptr, folder int, path *byte, stops bool) int {
	parent, _, _ := syscall.RawSyscall6(unix.SYS_GETPID, 0, 0, 0, 0, 0, 0)
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return -1
	}
	if pid != 0 {
		return int(pid)
	}
	for i := 0; i < 200; i++ {
		syscall.RawSyscall6(call, uintptr(folder), uintptr(unsafe.Pointer(path)), 0, 0, 0, 0)
		if stops && i == 3 {
			syscall.RawSyscall6(unix.SYS_KILL, parent, uintptr(unix.SIGSTOP), 0, 0, 0, 0)
		}
	}
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
	}
}

// forkWaker makes a process that wakes its parent again and again, until that ends.
//
//go:norace
//go:nosplit
func forkWaker() int {
	parent, _, _ := syscall.RawSyscall6(unix.SYS_GETPID, 0, 0, 0, 0, 0, 0)
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return -1
	}
	if pid != 0 {
		return int(pid)
	}
	syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0)
	for {
		pause := unix.Timespec{Nsec: 2e6}
		syscall.RawSyscall6(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0, 0, 0, 0)
		if now, _, _ := syscall.RawSyscall6(unix.SYS_GETPPID, 0, 0, 0, 0, 0, 0); now != parent {
			syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
		}
		syscall.RawSyscall6(unix.SYS_KILL, parent, uintptr(unix.SIGCONT), 0, 0, 0, 0)
	}
}

// hostility is an attack by everything at once, for a time.
func hostility(t *testing.T, seed uint64, length string) {
	t.Helper()
	b := raced(t)
	defer empty(b.folder)
	b.mounts = probe.MountNamespaces.Check() == nil
	put(t, b.folder, "file", "text")
	put(t, b.folder, "folder/inner/file", "text")
	put(t, b.folder, "spare", "text")
	put(t, b.folder, "honest", "honest")
	if err := unix.Mkfifo(filepath.Join(b.folder, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	descriptors, goroutines := countDescriptors(), runtime.NumGoroutine()
	output := b.run(t, "hostile", fmt.Sprint(seedOf, "=", seed), forTime+"="+length)
	var read, made int
	if _, err := fmt.Sscanf(output, "read %d of %d", &read, &made); err != nil || read != 0 || made == 0 {
		t.Errorf("%q, %v; want nothing read, by some calls", output, err)
	}
	t.Logf("%d calls", made)
	for _, name := range []string{"", "vault"} { // an ordinary user's, which may be closed to us as well
		os.Chmod(filepath.Join(b.folder, name), 0o755)
	}
	for name, want := range map[string]string{"x.locked": "as it was", ".env": secret, "vault/file": secret} {
		text, err := os.ReadFile(filepath.Join(b.folder, name))
		if string(text) != want {
			t.Errorf("%s is %q, %v", name, text, err)
		}
	}
	for _, name := range []string{"new.locked", "vault/new"} {
		if _, err := os.Lstat(filepath.Join(b.folder, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	for range 1000 { // what the run started may end a little later
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(time.Millisecond)
	}
	const leaving = 2 // pipes of an init that is not reaped before the next run
	if d, g := countDescriptors(), runtime.NumGoroutine(); d > descriptors+leaving || g > goroutines {
		t.Errorf("left behind: %d descriptors and %d goroutines; there were %d and %d", d, g, descriptors, goroutines)
	}
}

func countDescriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// FuzzHostile has a victim attack the handler in every way at once: nothing
// hidden is read, nothing read-only changed, nothing left behind, and the handler
// never panics.
func FuzzHostile(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	length := os.Getenv(forTime)
	if length == "" {
		length = "300ms"
	}
	raced(f).run(f, "mischief", attackName+"=open") // what is opened once, and stays
	f.Fuzz(func(t *testing.T, seed uint64) { hostility(t, seed, length) })
}
