package files

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
)

// tape is what calls are made of: bytes, and random ones after them where there
// is a source.
type tape struct {
	bytes  []byte
	random *rand.Rand
}

func (t *tape) ended() bool { return len(t.bytes) == 0 && t.random == nil }

func (t *tape) byte() byte {
	if len(t.bytes) == 0 {
		if t.random == nil {
			return 0
		}
		return byte(t.random.Uint32())
	}
	b := t.bytes[0]
	t.bytes = t.bytes[1:]
	return b
}

func (t *tape) word() uint64 {
	var b [8]byte
	for i := range b {
		b[i] = t.byte()
	}
	return binary.LittleEndian.Uint64(b[:])
}

// pick returns one of a list, and whether that is one of the first few.
func pick[T any](t *tape, usual int, list []T) (item T, isUsual bool) {
	n := int(t.byte())
	if n < 160 { // more often than not
		n %= usual
	} else {
		n %= len(list)
	}
	return list[n], n < usual
}

// Names that a victim's calls are about, the usual ones first. Some are there,
// as staged makes them; some are made by the calls themselves.
var names = []string{
	"file", "folder", "folder/file", "link", "new", "folder/new", "folder/inner", "folder/inner/file", "spare",
	".", "", "/", "..", "missing/name", "file/", "file/name", "folder/", "new/", "loop", "loop/name", "dangling", "folder/../file",
	"./folder/./inner/..//file", "into/file", "magic", "magic/file", "away", "fifo", "/dev/null", "/dev/tty", "/dev/fd/102",
	"/proc/self/fd/100/file", "/proc/self/fd/102", "/proc/thread-self/fd/103", "/proc/self/cwd/folder/file", "/proc/self/root/dev/null",
	"/proc/self/fd/111", "/proc/self/status", "/proc/self/fd", "/proc/thread-self", "/proc/1/cwd", "/proc/self/ns/mnt", "/proc/self/fdinfo/../fd/106",
	"folder/link", "../../../../../../../../../../../../dev/zero", "/nowhere", "folder/..", "folder/inner/../../..", "\xff\xfe",
	strings.Repeat("n", 255), strings.Repeat("n", 256), strings.Repeat("./", 2044) + "file", strings.Repeat("./", 2046) + "file", strings.Repeat("x", 5000),
	strings.Repeat("folder/../", 300) + "file", strings.Repeat("d/", 1000),
}

// guarded are names that the patterns of a hostile run are about.
var guarded = []string{
	".env", "vault/file", "x.locked", "vault", "open/file", "open", "fine", "new.locked", "vault/new", "vault/../.env", "toward", "sideways/file",
	"/proc/self/cwd/.env", "/proc/thread-self/fd/100/.env", "open/../x.locked", "/proc/self/fd/103", "folder/../.env",
}

const usualNames = 9

// descriptors that a victim has open, the usual ones first.
var descriptors = []uint64{
	unix.AT_FDCWD & (1<<64 - 1), 100, 101, 102, 106,
	103, 104, 105, 107, 108, 109, 110, 111, 112, 1<<64 - 1, 1 << 20, 0x8000_0000, 0xffff_ffff_0000_0064, 0x7fff_ffff_ffff_ff9c,
}

// staged opens them: what each is, and a folder to come back to.
func staged() {
	open := func(at int, name string, flags int) {
		fd, err := unix.Open(name, flags, 0)
		if err != nil {
			fd, err = unix.Open("/dev/null", flags&^(unix.O_DIRECTORY|unix.O_NOFOLLOW), 0)
		}
		if err != nil {
			panic(fmt.Sprint(name, ": ", err))
		}
		unix.Dup3(fd, at, unix.O_CLOEXEC)
		unix.Close(fd)
	}
	open(100, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	open(101, "folder", unix.O_PATH)
	open(102, "file", unix.O_RDONLY)
	open(103, "folder/file", unix.O_PATH)
	var pipe [2]int
	unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK)
	unix.Dup3(pipe[0], 104, unix.O_CLOEXEC)
	if socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		unix.Dup3(socket, 105, unix.O_CLOEXEC)
	}
	open(106, "spare", unix.O_RDWR)
	open(107, "link", unix.O_PATH|unix.O_NOFOLLOW)
	os.WriteFile("gone", []byte("gone"), 0o600)
	open(108, "gone", unix.O_RDWR)
	os.Remove("gone")
	os.Mkdir("gone", 0o700)
	open(109, "gone", unix.O_RDONLY|unix.O_DIRECTORY)
	os.Remove("gone")
	open(110, "/dev/null", unix.O_RDWR)
	open(112, "fifo", unix.O_RDWR|unix.O_NONBLOCK)
}

// fuzzed are the calls that are made: all that the table has, but for those that
// no jail lets be tried.
func fuzzed(also func(row) bool) (list []string) {
	for name, row := range newTable() {
		if _, here := abi.Native().Number(name); here && (row.how != refusing || also(row)) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

const arenaPages = 20

// arena is memory that one argument points to: some pages, and one after them
// that is not there.
type arena struct{ base, end uintptr }

func newArena() arena {
	page := uintptr(os.Getpagesize())
	base, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, (arenaPages+1)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	unix.Syscall(unix.SYS_MPROTECT, base+arenaPages*page, page, unix.PROT_NONE)
	return arena{base, base + arenaPages*page}
}

func (a arena) bytes(at uintptr, length int) []byte {
	address := at
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), length)
}

// write has no regard for who else writes there.
//
//go:norace
func (a arena) write(at uintptr, b []byte) {
	to := a.bytes(at, len(b))
	for i := range to {
		to[i] = b[i]
	}
}

// nowhere are addresses that no task has memory at.
var nowhere = []uint64{0, 1, 4095, 1 << 47, 1<<47 - 4096, 1 << 56, 1<<63 - 1, 1 << 63, 0xffff_8880_0000_0000, 1<<64 - 4096, 1<<64 - 1}

// place puts bytes somewhere into the arena, or points where there is none.
func (a arena) place(t *tape, b []byte) (address uint64, usual bool) {
	page := uintptr(os.Getpagesize())
	at := a.base
	switch n := t.byte(); {
	case n < 180:
	case n < 200: // up to the last byte
		at = a.end - uintptr(len(b))
	case n < 215 && len(b) > 1: // across pages
		at = a.base + page - uintptr(len(b)/2)
	case n < 225 && len(b) > 0: // the last byte is missing
		at = a.end - uintptr(len(b)) + 1
		a.write(at, b[:len(b)-1])
		return uint64(at), false
	case n < 235:
		return uint64(a.end), false
	case n < 250:
		return nowhere[int(t.byte())%len(nowhere)], false
	default:
		at = a.base + uintptr(t.byte())
	}
	a.write(at, b)
	return uint64(at), true
}

// made is one call as it is going to be made.
type made struct {
	name string
	args [6]uint64
	text string
	odd  int // arguments that are likely to be refused
	out  uintptr
}

// maker makes calls from a tape.
type maker struct {
	*tape
	calls  []string
	names  []string
	usual  int
	arenas [6]arena
	tame   bool // nothing that waits is made
}

func newMaker(t *tape, calls, names []string, usual int) *maker {
	m := &maker{tape: t, calls: calls, names: names, usual: usual}
	for i := range m.arenas {
		m.arenas[i] = newArena()
	}
	return m
}

func (m *maker) next() made {
	c := made{name: m.calls[int(m.byte())%len(m.calls)]}
	row, _ := abi.Lookup(c.name)
	var texts []string
	if len(pathsOf(row)) > 1 { // either may be the one that is refused
		c.odd++
	}
	for i := range row.Args {
		value, text, usual := m.argument(&c, row, i)
		c.args[i] = value
		if !usual {
			c.odd++
		}
		texts = append(texts, text)
	}
	c.text = c.name + "(" + strings.Join(texts, ", ") + ")"
	return c
}

func pathsOf(row *abi.Syscall) (list []int) {
	for i := range row.Args {
		if row.Args[i].Kind == abi.KindPath {
			list = append(list, i)
		}
	}
	return list
}

func show(b []byte) string {
	if len(b) > 60 {
		return fmt.Sprintf("%q…%d", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}

var (
	openFlagList = []uint64{0, 1, 2, 0o100, 0o101, 0o102, 0o1000 | 1, 0o200000, 0o4000, 0o2000000, 0o100 | 0o200 | 1, 0o2000 | 1, 0o400000, 0o20200002, 0o10000000, 0o3, 0o1000000}
	modes        = []uint64{0o644, 0o755, 0o600, 0, 0o7777, 0o1777, 0xffff, 1 << 40, 1<<64 - 1}
	sizes        = []uint64{8, 64, 24, 0, 1, 3, 23, 25, 255, 4096, 4097, 65536, 65537, 1 << 31, 1 << 32, 1 << 63, 1<<64 - 1}
	users        = []uint64{1<<32 - 1, 1<<64 - 1, 0, 12345, 1 << 32}
	attributes   = []string{"user.one", "user.two", "", "user.", "trusted.x", "security.x", "none", "system.posix_acl_access", "user." + strings.Repeat("n", 250), "user." + strings.Repeat("n", 251)}
	lengths      = []uint64{0, 4, 4096, 1 << 20, 1<<64 - 1, 1 << 63, 1 << 62}
	clockValues  = []uint64{0, 1, 1 << 20, 999_999, 1_000_000, 999_999_999, 1_000_000_000, 1<<30 - 1, 1<<30 - 2, 1<<64 - 1, 1 << 40, 1 << 63}
)

// argument makes one, by its kind.
func (m *maker) argument(c *made, row *abi.Syscall, i int) (value uint64, text string, usual bool) {
	arg, a := &row.Args[i], m.arenas[i]
	number := func(usualOnes int, list []uint64) (uint64, string, bool) {
		value, usual := pick(m.tape, usualOnes, list)
		return value, fmt.Sprintf("%#x", value), usual
	}
	memory := func(b []byte, usual bool) (uint64, string, bool) {
		address, there := a.place(m.tape, b)
		text := show(b)
		if !there {
			text = fmt.Sprintf("%s somewhere else", text)
		}
		return address, text, usual && there
	}
	switch {
	case arg.Kind == abi.KindPath || row.Name == "symlink" && i == 0 || row.Name == "symlinkat" && i == 0:
		name, usual := pick(m.tape, m.usual, m.names)
		return memory(append([]byte(name), 0), usual)
	case arg.Kind == abi.KindString:
		name, usual := pick(m.tape, 2, attributes)
		return memory(append([]byte(name), 0), usual)
	case arg.Kind == abi.KindFD: // AT_FDCWD is one to newer kernels, of some calls
		value, usual := pick(m.tape, 3, descriptors[1:len(descriptors)-1])
		return value, fmt.Sprint(int32(value)), usual
	case arg.Kind == abi.KindDirFD:
		value, usual := pick(m.tape, 3, descriptors)
		return value, fmt.Sprint(int32(value)), usual
	case arg.Name == "how":
		how := make([]byte, 32)
		flags, usual := m.openFlags()
		binary.LittleEndian.PutUint64(how, flags)
		mode, usualMode := pick(m.tape, 4, []uint64{0, 0, 0, 0o600, 0o644, 0o10000, 1 << 40})
		binary.LittleEndian.PutUint64(how[8:], mode)
		resolve, usualResolve := pick(m.tape, 3, []uint64{0, 0, 8, 0x10, 4, 2, 1, 0x18, 0x20, 0x1c, 0x40, 1 << 40})
		binary.LittleEndian.PutUint64(how[16:], resolve)
		address, text, there := memory(how, true)
		return address, fmt.Sprintf("{%#o, %#o, %#x} %s", flags, mode, resolve, text[max(0, len(text)-14):]), usual && usualMode && usualResolve && there
	case arg.Name == "usize":
		return number(1, []uint64{24, 32, 0, 23, 25, 4096, 4097, 1 << 63})
	case arg.Kind == abi.KindTimespec || arg.Kind == abi.KindTimeval || strings.Contains(arg.Type, "time"):
		times := make([]byte, 32)
		usual := true
		for at := 0; at < len(times); at += 8 {
			value, known := pick(m.tape, 3, clockValues)
			binary.LittleEndian.PutUint64(times[at:], value)
			usual = usual && known
		}
		return memory(times, usual)
	case arg.Kind == abi.KindFlags && strings.HasPrefix(row.Name, "open"):
		value, usual := m.openFlags()
		return value, fmt.Sprintf("%#o", value), usual
	case arg.Kind == abi.KindFlags || arg.Kind == abi.KindInt || arg.Kind == abi.KindReserved:
		return number(1, []uint64{0, 0x100, 0x200, 0x400, 0x1000, 1, 2, 4, 0x1100, 1 << 32, 1 << 20, 1<<64 - 1})
	case arg.Kind == abi.KindMode:
		value, text, usual := number(3, modes)
		if strings.HasPrefix(row.Name, "mknod") {
			kind, known := pick(m.tape, 2, []uint64{unix.S_IFREG, 0, unix.S_IFSOCK, unix.S_IFCHR, unix.S_IFBLK, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO, 0xf000})
			if m.tame && kind == unix.S_IFIFO {
				kind = unix.S_IFREG
			}
			value, text, usual = value&0o7777|kind, fmt.Sprintf("%#o", value&0o7777|kind), usual && known
		}
		return value, text, usual
	case arg.Kind == abi.KindUID || arg.Kind == abi.KindGID:
		return number(2, users)
	case arg.Kind == abi.KindOffset:
		return number(4, lengths)
	case arg.Kind == abi.KindSize:
		return number(3, sizes)
	case arg.Kind == abi.KindStrings:
		return memory(make([]byte, 8), true)
	case arg.Dir == abi.Out || arg.Dir == abi.InOut:
		a.write(a.base, make([]byte, 64))
		address, text, there := memory(make([]byte, 64), true)
		if there {
			c.out = uintptr(address)
		}
		return address, text, there
	case arg.Pointer():
		return memory([]byte("value value value"), true)
	}
	return number(2, []uint64{0, 1, 2, 0x103, 1 << 32, 1<<64 - 1})
}

func (m *maker) openFlags() (flags uint64, usual bool) {
	flags, usual = pick(m.tape, 8, openFlagList)
	if m.byte()%2 == 0 {
		more, also := pick(m.tape, 10, openFlagList)
		flags, usual = flags|more, usual && also
	}
	if m.byte() >= 250 {
		flags, usual = m.word(), false
	}
	if flags&(unix.O_CREAT|unix.O_DIRECTORY) == unix.O_CREAT|unix.O_DIRECTORY { // newer kernels refuse it
		usual = false
	}
	return flags, usual
}

func (c made) do() (value uintptr, errno unix.Errno) {
	number, _ := abi.Native().Number(c.name)
	a := c.args
	value, _, errno = unix.Syscall6(uintptr(number), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
	return value, errno
}

// opens reports whether a call's result is a descriptor.
func (c made) opens() bool {
	row, _ := abi.Lookup(c.name)
	return row.Result == abi.ResultFD
}

const tapeOf = "CALLGATE_TEST_TAPE"

// makeCalls makes the calls of a tape, one after the other, and tells what each
// came to.
func makeCalls() {
	home, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	staged()
	unix.Umask(0o022)
	data, err := hex.DecodeString(os.Getenv(tapeOf))
	if err != nil {
		panic(err)
	}
	m := newMaker(&tape{bytes: data}, fuzzed(func(row) bool { return false }), names, usualNames)
	m.tame = true
	var lines []string
	for i := 0; !m.ended() && i < 200; i++ {
		if i%16 == 15 {
			unix.Chdir(home)
		}
		c := m.next()
		value, errno := c.do()
		lines = append(lines, fmt.Sprintf("%s\t%d\t%s", c.text, c.odd, cameTo(c, value, errno)))
	}
	for _, line := range lines {
		fmt.Println(line)
	}
}

// cameTo tells what a call came to, the same for the same.
func cameTo(c made, value uintptr, errno unix.Errno) string {
	if errno != 0 {
		return unix.ErrnoName(errno)
	}
	if !c.opens() {
		text := fmt.Sprint(int(value))
		if c.out != 0 && strings.HasSuffix(c.name, "getxattr") && value <= 64 && c.args[3] > 0 {
			text += " " + show(arena{}.bytes(c.out, int(value)))
		}
		return text
	}
	fd := int(value)
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return "a descriptor that can't be asked: " + err.Error()
	}
	status, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	closes, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	text := fmt.Sprintf("mode %#o, status %#o, close %d", stat.Mode, status, closes)
	if stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Ino > 1<<5 && stat.Dev > 100 {
		var b [32]byte
		n, _ := unix.Read(fd, b[:])
		text += fmt.Sprintf(", size %d, begins %q", stat.Size, b[:max(n, 0)])
	}
	return text
}
