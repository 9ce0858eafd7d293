package files

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// The races of one attacker: threads that exchange what a call names, and one
// that makes the call, as fast as they can.
var races = map[string]func(racer){
	"memory":         raceMemory,
	"memory-write":   raceMemoryWrite,
	"link":           raceLink,
	"folder":         raceFolder,
	"descriptor":     raceDescriptor,
	"working-folder": raceWorkingFolder,
	"magic-link":     raceMagicLink,
	"structure":      raceStructure,
}

const (
	secret    = "SECRET"
	forTime   = "CALLGATE_RACE"         // how long to race, as a duration
	raceNames = "CALLGATE_TEST_RACE"    // which race
	untilWon  = "CALLGATE_TEST_TILLWON" // end with the first win
)

var attackers = map[string]func(){
	"race": attackByRace, "mischief": mischief, "hold": holdFIFOs, "lift": liftOne, "calls": makeCalls, "hostile": beHostile,
}

// racer counts what a race came to.
type racer struct {
	over func() bool
	won  *atomic.Int64
	made *atomic.Int64
}

func attackByRace() {
	length, err := time.ParseDuration(os.Getenv(forTime))
	if err != nil {
		panic(err)
	}
	var won, made atomic.Int64
	end := time.Now().Add(length)
	race := races[os.Getenv(raceNames)]
	if race == nil {
		race = liftRaces[os.Getenv(raceNames)]
	}
	race(racer{won: &won, made: &made, over: func() bool {
		return time.Now().After(end) || won.Load() > 0 && os.Getenv(untilWon) != ""
	}})
	fmt.Printf("won %d of %d\n", won.Load(), made.Load())
	os.Exit(0)
}

// swap does one thing and its opposite, on a thread of its own, until the end.
func swap(do func(round int)) {
	go func() {
		runtime.LockOSThread()
		for round := 0; ; round++ {
			do(round)
		}
	}()
}

// try counts one attempt to read: won where it got the secret.
func (r racer) try(fd int, err error) {
	r.made.Add(1)
	if err != nil {
		return
	}
	var text [16]byte
	if n, _ := unix.Read(fd, text[:]); strings.HasPrefix(string(text[:max(n, 0)]), secret) {
		r.won.Add(1)
	}
	unix.Close(fd)
}

// raceMemory exchanges the path in memory.
func raceMemory(r racer) { r.memory(unix.O_RDONLY, ".enw\x00", ".env\x00") }

// raceMemoryWrite does so under a call that empties the file.
func raceMemoryWrite(r racer) {
	r.memory(unix.O_WRONLY|unix.O_TRUNC, "x.lockes\x00", "x.locked\x00")
}

func (r racer) memory(flags int, harmless, refused string) {
	path := []byte(harmless)
	last := len(path) - 2
	swap(func(round int) {
		path[last] = harmless[last]
		spin(round)
		path[last] = refused[last]
		spin(round / 7)
	})
	for !r.over() {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(unix.AT_FDCWD&(1<<64-1)), uintptr(unsafe.Pointer(&path[0])), uintptr(flags), 0, 0, 0)
		if flags != unix.O_RDONLY {
			r.made.Add(1)
			if errno == 0 {
				unix.Write(int(fd), []byte("changed"))
				unix.Close(int(fd))
			}
			if text, _ := os.ReadFile("x.locked"); len(text) == 0 || text[0] == 'c' {
				r.won.Add(1)
			}
			continue
		}
		r.try(int(fd), orNil(errno))
	}
}

func orNil(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// spin waits for a time that differs from round to round.
func spin(round int) {
	for i := 0; i < round%5000; i++ {
		sink.Add(1)
	}
}

var sink atomic.Int64

// raceLink exchanges what a link leads to.
func raceLink(r racer) {
	swap(func(round int) {
		unix.Symlink([]string{"fine", ".env"}[round%2], "next")
		unix.Rename("next", "link")
	})
	for !r.over() {
		r.try(unix.Open("link", unix.O_RDONLY, 0))
	}
}

// raceFolder exchanges two folders, of whose files one may be read.
func raceFolder(r racer) {
	swap(func(int) { unix.Renameat2(unix.AT_FDCWD, "vault", unix.AT_FDCWD, "open", unix.RENAME_EXCHANGE) })
	for !r.over() {
		r.try(unix.Open("open/file", unix.O_RDONLY, 0))
	}
}

// raceDescriptor exchanges the folder behind a descriptor.
func raceDescriptor(r racer) {
	vault, open := mustOpen("vault"), mustOpen("open")
	at, _ := unix.FcntlInt(uintptr(open), unix.F_DUPFD, 100)
	swap(func(round int) { unix.Dup3([]int{open, vault}[round%2], at, 0) })
	for !r.over() {
		r.try(unix.Openat(at, "file", unix.O_RDONLY, 0))
	}
}

// raceMagicLink exchanges the file behind a descriptor that is opened by its name
// in /proc.
func raceMagicLink(r racer) {
	vault, open := mustOpen(".env"), mustOpen("fine")
	at, _ := unix.FcntlInt(uintptr(open), unix.F_DUPFD, 100)
	name := fmt.Sprintf("/proc/self/fd/%d", at)
	swap(func(round int) { unix.Dup3([]int{open, vault}[round%2], at, 0) })
	for !r.over() {
		r.try(unix.Open(name, unix.O_RDONLY, 0))
	}
}

func mustOpen(name string) int {
	fd, err := unix.Open(name, unix.O_PATH, 0)
	if err != nil {
		panic(err)
	}
	return fd
}

// raceWorkingFolder exchanges the working folder.
func raceWorkingFolder(r racer) {
	vault, open := mustOpen("vault"), mustOpen("open")
	swap(func(round int) { unix.Fchdir([]int{open, vault}[round%2]) })
	for !r.over() {
		r.try(unix.Open("file", unix.O_RDONLY, 0))
	}
}

// raceStructure exchanges the flags of openat2 under a file that may only be read.
func raceStructure(r racer) {
	how := &unix.OpenHow{Flags: unix.O_RDONLY}
	swap(func(round int) {
		atomic.StoreUint64(&how.Flags, unix.O_RDONLY)
		spin(round)
		atomic.StoreUint64(&how.Flags, unix.O_RDWR)
		spin(round / 7)
	})
	path, _ := unix.BytePtrFromString("x.locked")
	here := unix.AT_FDCWD
	for !r.over() {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT2, uintptr(here), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(how)), unix.SizeofOpenHow, 0, 0)
		r.made.Add(1)
		if errno != 0 {
			continue
		}
		if n, _ := unix.Pwrite(int(fd), []byte("c"), 0); n == 1 {
			r.won.Add(1)
		}
		unix.Close(int(fd))
	}
}

// raced is where the attackers race.
func raced(t testing.TB) behind {
	b := behind{folder: t.TempDir(), hidden: []string{"./**/.env", "./vault/**"}, ro: []string{"./**/*.locked"}, mounts: true}
	os.Chmod(b.folder, 0o755)
	put(t, b.folder, ".env", secret)
	put(t, b.folder, "vault/file", secret)
	put(t, b.folder, "x.locked", "as it was")
	for _, name := range []string{".enw", "fine", "open/file", "x.lockes"} {
		put(t, b.folder, name, "harmless")
	}
	if err := os.Symlink("fine", filepath.Join(b.folder, "link")); err != nil {
		t.Fatal(err)
	}
	return b
}

// Nothing that is refused is ever read or changed, whatever is exchanged under the
// calls. CALLGATE_RACE says how long each race takes.
func TestRaces(t *testing.T) {
	length := os.Getenv(forTime)
	if length == "" {
		length = "400ms"
	}
	for _, name := range raceList() {
		t.Run(name, func(t *testing.T) {
			b := raced(t)
			var won, made int
			output := b.run(t, "race", raceNames+"="+name, forTime+"="+length)
			if _, err := fmt.Sscanf(output, "won %d of %d", &won, &made); err != nil || won != 0 || made < 10 {
				t.Errorf("%q, %v; want none won, of many", output, err)
			}
			t.Logf("%d tries", made)
			if text, err := os.ReadFile(filepath.Join(b.folder, "x.locked")); string(text) != "as it was" {
				t.Errorf("the read-only file is %q, %v", text, err)
			}
		})
	}
}

// A handler that decides in the same way, and then has the kernel read the path
// again, loses each race.
func TestRacesAreLostByWhoContinues(t *testing.T) {
	for _, name := range raceList() {
		t.Run(name, func(t *testing.T) {
			b := raced(t)
			b.server = naive
			output := b.run(t, "race", raceNames+"="+name, forTime+"=20s", untilWon+"=1")
			if strings.HasPrefix(output, "won 0 ") || !strings.HasPrefix(output, "won") {
				t.Errorf("%q; want a race won by the attacker", output)
			}
		})
	}
}

func raceList() []string {
	var names []string
	for name := range races {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// naive decides about each path of a call, and lets the call go on.
func naive(h *Handler) gate.Handler {
	return gate.HandlerFunc(func(ctx context.Context, t *gate.Trap) gate.Verdict {
		row, _ := t.Syscall()
		c := &call{Trap: t, Handler: h, context: ctx}
		want := policy.Write
		folder := int32(here)
		for i, arg := range row.Args {
			switch {
			case arg.Kind == abi.KindDirFD:
				folder = int32(t.Args[i])
			case arg.Name == "flags" && t.Args[i]&unix.O_PATH != 0:
				return gate.Continue()
			case arg.Name == "flags" && t.Args[i]&unix.O_ACCMODE == unix.O_RDONLY:
				want = policy.Read
			case arg.Name == "how":
				raw, err := t.Bytes(i, howSize)
				if err != nil {
					return gate.Fail(err)
				}
				if how, _ := parseHow(raw); how.flags&unix.O_ACCMODE == unix.O_RDONLY {
					want = policy.Read
				}
			}
		}
		for i, arg := range row.Args {
			if arg.Kind != abi.KindPath {
				continue
			}
			s, err := c.at(folder, i, strings.HasPrefix(row.Name, "open"), false)
			if err != nil {
				continue
			}
			err = c.decide(s, want)
			s.close()
			if err != nil && !strings.HasPrefix(row.Name, "exec") {
				return gate.Fail(err)
			}
		}
		return gate.Continue()
	})
}
