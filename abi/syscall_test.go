package abi_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
)

var allArches = []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64, abi.I386, abi.X32, abi.ARM}

func TestLookup(t *testing.T) {
	for _, test := range []struct {
		arch  abi.Arch
		name  string
		want  abi.Sysno
		found bool
	}{
		{abi.AMD64, "read", 0, true},
		{abi.AMD64, "openat", 257, true},
		{abi.ARM64, "openat", 56, true},
		{abi.RISCV64, "openat", 56, true},
		{abi.I386, "openat", 295, true},
		{abi.ARM, "openat", 322, true},
		{abi.X32, "openat", abi.X32Bit | 257, true},
		{abi.X32, "ioctl", abi.X32Bit | 514, true},
		{abi.ARM, "set_tls", 0xf0005, true},
		{abi.AMD64, "clone", 56, true},
		{abi.ARM64, "clone", 220, true},
		{abi.RISCV64, "renameat", 0, false},
		{abi.ARM64, "open", 0, false},
		{abi.X32, "sysctl", 0, false},
		{abi.AMD64, "", 0, false},
		{abi.AMD64, "zzz", 0, false},
		{abi.AMD64, strings.Repeat("read", 1000), 0, false},
		{0, "read", 0, false},
		{99, "read", 0, false},
	} {
		got, found := test.arch.Number(test.name)
		if got != test.want || found != test.found {
			t.Errorf("%v.Number(%q) = %d, %t; want %d, %t", test.arch, test.name, got, found, test.want, test.found)
		}
		if !found {
			continue
		}
		row, found := test.arch.Syscall(got)
		if !found || row.Name != test.name {
			t.Errorf("%v.Syscall(%d) = %v, %t; want the row of %s", test.arch, got, row, found, test.name)
		}
	}
}

func TestSyscallOfUnknownNumber(t *testing.T) {
	for _, test := range []struct {
		arch abi.Arch
		nr   abi.Sysno
	}{
		{abi.AMD64, 400},
		{abi.AMD64, 1 << 31},
		{abi.AMD64, ^abi.Sysno(0)},
		{abi.AMD64, abi.X32Bit | 1},
		{abi.X32, 1},
		{abi.X32, abi.X32Bit | 13},
		{0, 0},
		{99, 0},
	} {
		if row, found := test.arch.Syscall(test.nr); found {
			t.Errorf("%v.Syscall(%#x) = %s; want nothing", test.arch, test.nr, row.Name)
		}
	}
}

// TestNumbersAgreeWithXSys compares every number with golang.org/x/sys/unix,
// which generates its own from newer kernel headers.
func TestNumbersAgreeWithXSys(t *testing.T) {
	folder := xsysFolder(t)
	pseudo := []string{"arch_specific_syscall", "syscall_mask"} // bases and masks, not calls
	for arch, file := range map[abi.Arch]string{
		abi.AMD64: "amd64", abi.ARM64: "arm64", abi.RISCV64: "riscv64", abi.I386: "386", abi.ARM: "arm",
	} {
		theirs := readNumbers(t, filepath.Join(folder, "zsysnum_linux_"+file+".go"))
		if len(theirs) < 300 {
			t.Fatalf("found only %d calls for %v", len(theirs), arch)
		}
		for name, want := range theirs {
			if slices.Contains(pseudo, name) {
				continue
			}
			if got, found := arch.Number(name); !found || got != want {
				t.Errorf("%v.Number(%q) = %d, %t; x/sys has %d", arch, name, got, found, want)
			}
		}
		for nr, row := range arch.Syscalls() {
			private := arch == abi.ARM && nr > 0xf0000 // x/sys leaves these out
			if _, has := theirs[row.Name]; !has && !private {
				t.Errorf("%v has %s, which x/sys lacks", arch, row.Name)
			}
		}
	}
}

// xsysFolder is where the module's version of golang.org/x/sys/unix lies.
func xsysFolder(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs go: to find golang.org/x/sys")
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatalf("find golang.org/x/sys: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "unix")
}

var numberLine = regexp.MustCompile(`^\s+SYS_(\w+)\s*=\s*(\d+)`)

func readNumbers(t *testing.T, path string) map[string]abi.Sysno {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := make(map[string]abi.Sysno)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if match := numberLine.FindStringSubmatch(lines.Text()); match != nil {
			number, err := strconv.ParseUint(match[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			found[strings.ToLower(match[1])] = abi.Sysno(number)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryRowIsWhole(t *testing.T) {
	for _, arch := range allArches {
		last, first := abi.Sysno(0), true
		for nr, row := range arch.Syscalls() {
			where := fmt.Sprintf("%v %s", arch, row.Name)
			if !first && nr <= last {
				t.Errorf("%s: number %d after %d", where, nr, last)
			}
			last, first = nr, false
			if same, back, found := arch.Find(row.Name); !found || back != nr || same != row {
				t.Errorf("%s: Find = %v, %d, %t; want %v, %d", where, same, back, found, row, nr)
			}
			checkRow(t, where, row)
		}
		if first {
			t.Errorf("%v has no calls", arch)
		}
	}
}

func checkRow(t *testing.T, where string, row *abi.Syscall) {
	t.Helper()
	if len(row.Args) > 6 {
		t.Errorf("%s has %d arguments", where, len(row.Args))
	}
	if row.Result == 0 || row.Result.String() == "unknown" {
		t.Errorf("%s has result %d", where, row.Result)
	}
	if row.Since == (abi.Version{}) && len(row.Args) > 0 {
		t.Errorf("%s has arguments but no version", where)
	}
	for i := range row.Args {
		arg := &row.Args[i]
		where := fmt.Sprintf("%s argument %d (%s)", where, i, arg.Name)
		if arg.Name == "" || arg.Type == "" || arg.Kind == 0 || arg.Kind.String() == "unknown" {
			t.Errorf("%s has no name, type or kind: %+v", where, *arg)
		}
		if pointer := strings.Contains(arg.Type, "*") || strings.Contains(arg.Type, "cap_user_"); arg.Pointer() && !pointer {
			t.Errorf("%s points to memory, but its type is %s", where, arg.Type)
		}
		if arg.Pointer() != (arg.Kind >= abi.KindPath) {
			t.Errorf("%s is a %v that is %v", where, arg.Kind, arg.Dir)
		}
		if !slices.Contains([]uint8{16, 32, 64}, arg.Bits) {
			t.Errorf("%s has %d bits", where, arg.Bits)
		}
		checkLength(t, where, row, arg)
		checkFlags(t, where, arg)
	}
}

func checkLength(t *testing.T, where string, row *abi.Syscall, arg *abi.Arg) {
	t.Helper()
	if arg.Len == -1 {
		return
	}
	if arg.Len < 0 || int(arg.Len) >= len(row.Args) || &row.Args[arg.Len] == arg {
		t.Errorf("%s: argument %d gives its length", where, arg.Len)
		return
	}
	measures := []abi.Kind{abi.KindSize, abi.KindCount, abi.KindSizePointer}
	if kind := row.Args[arg.Len].Kind; !slices.Contains(measures, kind) {
		t.Errorf("%s: its length is a %v", where, kind)
	}
	if !arg.Pointer() {
		t.Errorf("%s has a length but is no pointer", where)
	}
}

func checkFlags(t *testing.T, where string, arg *abi.Arg) {
	t.Helper()
	named := []abi.Kind{abi.KindFlags, abi.KindChoice, abi.KindIoctl, abi.KindSignal, abi.KindMode}
	if want := slices.Contains(named, arg.Kind); (arg.Flags != nil) != want {
		t.Errorf("%s, a %v, has flags %v", where, arg.Kind, arg.Flags)
		return
	}
	if arg.Flags == nil {
		return
	}
	if (arg.Kind == abi.KindChoice) != (arg.Flags.Choice() && arg.Kind != abi.KindIoctl && arg.Kind != abi.KindSignal) {
		t.Errorf("%s is a %v, but set %s says otherwise", where, arg.Kind, arg.Flags.Name())
	}
	empty := true
	for name, value := range arg.Flags.Values(abi.AMD64) {
		empty = false
		if arg.Narrow(value) != value {
			t.Errorf("%s: %s = %#x does not fit its %d bits", where, name, value, arg.Bits)
		}
	}
	riscvOnly := arg.Flags.Name() == "riscv_hwprobe"
	if empty && !riscvOnly {
		t.Errorf("%s: set %s is empty", where, arg.Flags.Name())
	}
}

// TestRows pins what filters stand on for calls that matter most.
func TestRows(t *testing.T) {
	for _, test := range []struct {
		arch abi.Arch
		name string
		want string
	}{
		{abi.AMD64, "openat", "2.6 dfd=directory/32s filename=path/64u in flags=flags:open/32u mode=mode:mode/16u -> descriptor"},
		{abi.AMD64, "openat2", "5.6 dfd=directory/32s filename=path/64u in how=struct/64u in#3 usize=size/64u -> descriptor"},
		{abi.AMD64, "ioctl", "1.0 fd=descriptor/32s cmd=ioctl request:ioctl/32u arg=variant/64u -> variant"},
		{abi.AMD64, "socket", "2.0 family=choice:family/32u type=flags:socket_type/32u protocol=variant/32s -> descriptor"},
		{abi.AMD64, "write", "1.0 fd=descriptor/32s buf=buffer/64u in#2 count=size/64u -> size"},
		{abi.AMD64, "mmap", "1.0 addr=address/64u len=size/64u prot=flags:prot/64u flags=flags:mmap/64u fd=descriptor/32s off=offset/64u -> address"},
		{abi.AMD64, "clone", "1.0 clone_flags=flags:clone/32u newsp=address/64u parent_tidptr=struct/64u out child_tidptr=struct/64u out tls=address/64u -> pid"},
		{abi.ARM64, "clone", "1.0 clone_flags=flags:clone/32u newsp=address/64u parent_tidptr=struct/64u out tls=address/64u child_tidptr=struct/64u out -> pid"},
		{abi.AMD64, "clone3", "5.3 uargs=struct/64u in#1 size=size/64u -> pid"},
		{abi.AMD64, "kill", "1.0 pid=pid/32s sig=signal:signal/32u -> status"},
		{abi.AMD64, "prctl", "2.2 option=choice:prctl/32u arg2=variant/64u arg3=variant/64u arg4=variant/64u arg5=variant/64u -> variant"},
		{abi.AMD64, "accept4", "2.6 fd=descriptor/32s upeer_sockaddr=sockaddr/64u out#2 upeer_addrlen=size pointer/64u in-out flags=flags:accept/32u -> descriptor"},
		{abi.AMD64, "getrusage", "1.0 who=choice:rusage/32s ru=struct/64u out -> status"},
		{abi.AMD64, "reboot", "1.0 magic1=choice:reboot_magic1/32u magic2=choice:reboot_magic2/32u cmd=choice:reboot/32u arg=string/64u in -> status"},
		{abi.AMD64, "mseal", "6.10 start=address/64u len=size/64u flags=reserved/64u -> status"},
		{abi.AMD64, "exit_group", "2.6 error_code=int/32s -> none"},
		{abi.AMD64, "getpid", "1.0 -> pid"},
	} {
		nr, found := test.arch.Number(test.name)
		row, _ := test.arch.Syscall(nr)
		if !found {
			t.Errorf("%v has no %s", test.arch, test.name)
			continue
		}
		if got := describe(row); got != test.want {
			t.Errorf("%v %s:\n got %s\nwant %s", test.arch, test.name, got, test.want)
		}
	}
}

func describe(row *abi.Syscall) string {
	words := []string{row.Since.String()}
	for _, arg := range row.Args {
		word := arg.Name + "=" + arg.Kind.String()
		if arg.Flags != nil {
			word += ":" + arg.Flags.Name()
		}
		word += fmt.Sprintf("/%d%s", arg.Bits, map[bool]string{true: "s", false: "u"}[arg.Signed])
		if arg.Pointer() {
			word += " " + arg.Dir.String()
		}
		if arg.Len >= 0 {
			word += fmt.Sprintf("#%d", arg.Len)
		}
		words = append(words, word)
	}
	return strings.Join(append(words, "->", row.Result.String()), " ")
}

func TestNamesAreInOrder(t *testing.T) {
	names := slices.Collect(abi.Names())
	if len(names) < 450 || !slices.IsSorted(names) {
		t.Errorf("%d names, sorted: %t; want 450 or more in order", len(names), slices.IsSorted(names))
	}
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("%d of %d names occur twice", len(names)-len(unique), len(names))
	}
	for _, name := range names {
		if row, found := abi.Lookup(name); !found || row.Name != name {
			t.Errorf("Lookup(%q) = %v, %t", name, row, found)
		}
	}
	if _, found := abi.Lookup("opneat"); found {
		t.Error(`Lookup("opneat") found a call`)
	}
}

func TestCompanions(t *testing.T) {
	for arch, want := range map[abi.Arch][]abi.Arch{
		abi.AMD64: {abi.I386, abi.X32}, abi.ARM64: {abi.ARM}, abi.RISCV64: nil, abi.ARM: nil, 0: nil,
	} {
		if got := arch.Companions(); !slices.Equal(got, want) {
			t.Errorf("%v.Companions() = %v; want %v", arch, got, want)
		}
	}
}

func TestNarrow(t *testing.T) {
	for _, test := range []struct {
		arg      abi.Arg
		in, want uint64
	}{
		{abi.Arg{Bits: 32}, 1<<32 | 5, 5},
		{abi.Arg{Bits: 32}, 0xffffffff, 0xffffffff},
		{abi.Arg{Bits: 32, Signed: true}, 0xffffffff, ^uint64(0)},
		{abi.Arg{Bits: 32, Signed: true}, 1<<32 | 5, 5},
		{abi.Arg{Bits: 16}, 0x1ffff, 0xffff},
		{abi.Arg{Bits: 64}, ^uint64(0), ^uint64(0)},
		{abi.Arg{Bits: 64, Signed: true}, 1 << 63, 1 << 63},
	} {
		if got := test.arg.Narrow(test.in); got != test.want {
			t.Errorf("Narrow(%#x) to %d bits, signed %t = %#x; want %#x", test.in, test.arg.Bits, test.arg.Signed, got, test.want)
		}
	}
}

// TestNoWorkAtStart runs this test program anew, without tests, and asks the
// runtime what package initialisers it ran.
func TestNoWorkAtStart(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "init os ") {
		t.Fatalf("no trace of initialisers in %q", out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "init github.com/callgate/callgate/abi ") {
			t.Errorf("package abi works at start: %s", line)
		}
	}
}
