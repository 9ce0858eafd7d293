package sockets

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// attackers are programs that try to reach a server that is not listed: they print
// the best that they came to.
var attackers = map[string]func(){
	"straight":   straight,
	"memory":     raceMemory,
	"link":       raceLink,
	"descriptor": raceDescriptor,
	"datagram":   sendDatagram,
	"datagram-pair": func() {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			fmt.Print(unix.ErrnoName(err.(syscall.Errno)))
			return
		}
		sendFrom(pair[0])
	},
	"own":  connectOwn,
	"ring": makeRing,
}

const (
	secret  = "SECRET"
	aimName = "CALLGATE_TEST_AIM"
	ownName = "own.sock"
	winRace = 20 * time.Second      // a race that nothing stops is won in much less
	keepOff = 2 * time.Second       // how long one is tried that is not to be won
	long    = "CALLGATE_TEST_RACED" // how long to race
)

func aim() string { return os.Getenv(aimName) }

// straight connects.
func straight() { fmt.Print(greeting(aim())) }

// greeting connects to a path and returns what is said there, or the errno.
func greeting(path string) string {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		return unix.ErrnoName(err.(syscall.Errno))
	}
	defer unix.Close(fd)
	return said(fd)
}

func said(fd int) string {
	text := make([]byte, 100)
	n, _ := unix.Read(fd, text)
	return string(text[:max(n, 0)])
}

// listenOwn listens beside the aim, and takes who comes.
func listenOwn() string {
	path := filepath.Join(filepath.Dir(aim()), ownName)
	os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		fmt.Print(err)
		os.Exit(0)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "own")
			conn.Close()
		}
	}()
	return path
}

func connectOwn() { fmt.Print(greeting(listenOwn())) }

// race tries until it is won or the time is over.
func race(try func() string) {
	length, _ := time.ParseDuration(os.Getenv(long))
	tries := 0
	for end := time.Now().Add(length); time.Now().Before(end); tries++ {
		if try() == secret {
			fmt.Print(secret)
			return
		}
	}
	fmt.Print("lost")
	if tries < 10 {
		fmt.Printf(" after %d", tries)
	}
}

// swap does one thing and its opposite, on a thread of its own.
func swap(do func(round int)) {
	go func() {
		runtime.LockOSThread()
		for round := 0; ; round++ {
			do(round)
		}
	}()
}

func rawAddress(path string) *[110]byte {
	var a [110]byte
	binary.NativeEndian.PutUint16(a[:], unix.AF_UNIX)
	copy(a[2:], path)
	return &a
}

// raceMemory exchanges the address that the call points to.
func raceMemory() {
	own, other := rawAddress(listenOwn()), rawAddress(aim())
	address := *own
	swap(func(round int) {
		if round%2 == 0 {
			copy(address[:], other[:])
		} else {
			copy(address[:], own[:])
		}
	})
	race(func() string {
		fd, _ := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		defer unix.Close(fd)
		if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&address)), uintptr(len(address))); errno != 0 {
			return errno.Error()
		}
		return said(fd)
	})
}

// raceLink exchanges the file that the path leads to.
func raceLink() {
	own := listenOwn()
	a, b := own+".a", own+".b"
	os.Remove(a)
	os.Remove(b)
	if err := os.Symlink(own, a); err != nil {
		fmt.Print(err)
		return
	}
	os.Symlink(aim(), b)
	swap(func(int) { unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) })
	race(func() string { return greeting(a) })
}

// raceDescriptor exchanges the socket under the number that the call names.
func raceDescriptor() {
	address := rawAddress(aim())
	const number = 200
	internet, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	local, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		fmt.Print(err)
		return
	}
	swap(func(round int) {
		if round%2 == 0 {
			unix.Dup3(local, number, 0)
		} else {
			unix.Dup3(internet, number, 0)
		}
	})
	race(func() string {
		if _, _, errno := unix.Syscall(unix.SYS_CONNECT, number, uintptr(unsafe.Pointer(address)), uintptr(len(aim())+3)); errno != 0 {
			return errno.Error()
		}
		return said(local)
	})
}

// sendDatagram needs no connection.
func sendDatagram() {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		fmt.Print(unix.ErrnoName(err.(syscall.Errno)))
		return
	}
	sendFrom(fd)
}

func sendFrom(fd int) {
	if err := unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrUnix{Name: aim() + ".datagram"}); err != nil {
		fmt.Print(unix.ErrnoName(err.(syscall.Errno)))
		return
	}
	fmt.Print(secret)
}

// makeRing asks for a ring, whose connections no filter sees.
func makeRing() {
	var parameters [120]byte
	_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&parameters)), 0)
	if errno == 0 {
		fmt.Print(secret)
		return
	}
	fmt.Print(unix.ErrnoName(errno))
}

// naive decides as the Handler does, and has the kernel read the call again.
type naive struct{ *Handler }

func (n naive) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	if row, ok := t.Syscall(); !ok || row.Name != "connect" {
		return n.Handler.Handle(ctx, t)
	}
	fd, err := taken(t)
	if err != nil {
		return gate.Done(err)
	}
	defer sys.Close(fd)
	family, _ := sys.SocketFamily(fd)
	address, err := t.Bytes(1, int(t.Args[2]))
	if err != nil {
		return gate.Done(err)
	}
	if path, _ := unixPath(family, address); path != "" {
		file, err := n.file(t, path)
		if err != nil {
			return gate.Done(err)
		}
		sys.Close(file)
	}
	return gate.Continue()
}

// serveSecret greets whoever connects, and takes datagrams.
func serveSecret(t *testing.T, path string) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := net.ListenPacket("unixgram", path+".datagram")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".datagram"} {
		if err := os.Chmod(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		listener.Close()
		datagrams.Close()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, secret)
			conn.Close()
		}
	}()
}

// A server that isn't listed, in a folder that the program sees and writes, is not
// reached. Each attack reaches it where nothing is listed, or where the kernel reads
// the call a second time.
func TestNothingElseIsReached(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "other.sock")
	serveSecret(t, path)
	for _, a := range []struct {
		name string
		bare behind // where it succeeds
		want string
	}{
		{"straight", behind{}, "EACCES"},
		{"memory", behind{unix: []string{}, server: func(h *Handler) gate.Handler { return naive{h} }}, "lost"},
		{"link", behind{unix: []string{}, server: func(h *Handler) gate.Handler { return naive{h} }}, "lost"},
		{"descriptor", behind{unix: []string{}, server: func(h *Handler) gate.Handler { return naive{h} }}, "lost"},
		{"datagram", behind{}, "EACCES"},
		{"datagram-pair", behind{}, "EACCES"},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.bare.folder = folder
			if got := a.bare.run(t, a.name, aimName+"="+path, long+"="+winRace.String()); got != secret {
				t.Errorf("without the wall: %q; want %q", got, secret)
			}
			walled := behind{folder: folder, unix: []string{}}
			if got := walled.run(t, a.name, aimName+"="+path, long+"="+keepOff.String()); got != a.want {
				t.Errorf("behind an empty list: %q; want %q", got, a.want)
			}
		})
	}
}

// What is listed is reached by its path, its folder and a pattern, and so is what the
// program made itself, wherever that lies.
func TestWhatIsReached(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "other.sock")
	serveSecret(t, path)
	for _, c := range []struct {
		what, attacker, aim string
		unix                []string
		want                string
	}{
		{"no list", "straight", path, nil, secret},
		{"its path", "straight", path, []string{path}, secret},
		{"its folder", "straight", path, []string{folder}, secret},
		{"a pattern", "straight", path, []string{folder + "/*.sock"}, secret},
		{"a pattern that doesn't fit", "straight", path, []string{folder + "/x*.sock"}, "EACCES"},
		{"another", "straight", path, []string{folder + "/other.sock.datagram"}, "EACCES"},
		{"nothing there", "straight", folder + "/none", []string{}, "ENOENT"},
		{"no socket", "straight", folder + "/file", []string{}, "ECONNREFUSED"},
		{"its own here", "own", path, []string{}, "own"},
		{"its own in memory", "own", "/tmp/x", []string{}, "own"},
		{"a ring", "ring", path, []string{}, "ENOSYS"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if got := (behind{folder: folder, unix: c.unix}).run(t, c.attacker, aimName+"="+c.aim); got != c.want {
				t.Errorf("%s: %q; want %q", c.attacker, got, c.want)
			}
		})
	}
}

// A server that was started anew has made another socket than the program is shown.
func TestServerStartsAnew(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "other.sock")
	first, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var once atomic.Bool
	b := behind{folder: "/", unix: []string{path}, server: func(h *Handler) gate.Handler {
		return gate.HandlerFunc(func(ctx context.Context, trap *gate.Trap) gate.Verdict {
			if row, _ := trap.Syscall(); row.Name == "connect" && once.CompareAndSwap(false, true) {
				first.Close()
				serveSecret(t, path)
			}
			return h.Handle(ctx, trap)
		})
	}}
	if got := b.run(t, "straight", aimName+"="+path); got != secret {
		t.Errorf("connected to the new server: %q; want %q", got, secret)
	}
}

// The parts of an address are read as the kernel reads them.
func TestUnixPath(t *testing.T) {
	local := func(text string) []byte {
		return append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), text...)
	}
	for _, c := range []struct {
		family         int
		address        []byte
		path, abstract string
	}{
		{unix.AF_UNIX, local("/a"), "/a", ""},
		{unix.AF_UNIX, local("/a\x00/b"), "/a", ""},
		{unix.AF_UNIX, local("\x00a\x00b"), "", "a\x00b"},
		{unix.AF_UNIX, local(""), "", ""},
		{unix.AF_UNIX, local(strings.Repeat("x", 108)), strings.Repeat("x", 108), ""},
		{unix.AF_UNIX, local(strings.Repeat("x", 109)), "", ""},
		{unix.AF_UNIX, make([]byte, 16), "", ""},
		{unix.AF_INET, local("/a"), "", ""},
		{unix.AF_UNIX, nil, "", ""},
	} {
		if path, abstract := unixPath(c.family, c.address); path != c.path || abstract != c.abstract {
			t.Errorf("unixPath(%d, %q) = %q, %q; want %q, %q", c.family, c.address, path, abstract, c.path, c.abstract)
		}
	}
	for _, c := range []struct {
		address []byte
		want    uint16
	}{
		{[]byte{unix.AF_INET, 0, 1, 2}, 0x102},
		{[]byte{unix.AF_INET6, 0, 1, 2}, 0x102},
		{[]byte{unix.AF_UNSPEC, 0, 1, 2}, 0},
		{[]byte{unix.AF_INET, 0, 1}, 0},
	} {
		if got := portOf(c.address); got != c.want {
			t.Errorf("portOf(%v) = %d; want %d", c.address, got, c.want)
		}
	}
}
