package abi_test

import (
	"slices"
	"testing"

	"github.com/callgate/callgate/abi"
)

func TestVersion(t *testing.T) {
	for text, want := range map[string]abi.Version{
		"6.1": {6, 1}, "6.1.0-13-amd64": {6, 1}, "5.10.0": {5, 10}, "2.6.39": {2, 6}, "6.8-rc1": {6, 8}, "10.0": {10, 0},
		"4.19+": {4, 19},
	} {
		if got, err := abi.ParseVersion(text); err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "6", "6.", ".1", "a.b", "-6.1", "6.-1", "99999.1", "6.99999", " 6.1"} {
		if got, err := abi.ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %v; want an error", text, got)
		}
	}
	order := []abi.Version{{}, {2, 6}, {3, 0}, {5, 9}, {5, 10}, {6, 1}}
	for i, v := range order {
		for j, w := range order {
			if v.Less(w) != (i < j) || (v.Compare(w) == 0) != (i == j) {
				t.Errorf("%v and %v: Less %t, Compare %d", v, w, v.Less(w), v.Compare(w))
			}
		}
	}
}

// TestSince pins versions from release notes, calls that decide whether a
// baseline of today lets them through.
func TestSince(t *testing.T) {
	for name, want := range map[string]abi.Version{
		"read": {1, 0}, "pread64": {2, 2}, "openat": {2, 6}, "seccomp": {3, 17}, "membarrier": {4, 3}, "pkey_alloc": {4, 9},
		"statx": {4, 11}, "io_uring_setup": {5, 1}, "clone3": {5, 3}, "openat2": {5, 6}, "close_range": {5, 9},
		"mount_setattr": {5, 12}, "landlock_add_rule": {5, 13}, "futex_waitv": {5, 16}, "cachestat": {6, 5},
		"fchmodat2": {6, 6}, "statmount": {6, 8}, "mseal": {6, 10}, "setxattrat": {6, 13}, "file_getattr": {6, 17},
		"listns": {6, 19}, "vserver": {},
	} {
		row, found := abi.Lookup(name)
		if !found || row.Since != want {
			t.Errorf("%s has version %v; want %v", name, row.Since, want)
		}
	}
}

func TestSignals(t *testing.T) {
	for text, want := range map[string]abi.Signal{
		"SIGHUP": 1, "SIGABRT": 6, "SIGKILL": 9, "SIGIO": 29, "SIGSYS": 31, "SIGRT_0": 32, "SIGRT_32": 64,
	} {
		if got, found := abi.ParseSignal(text); !found || got != want || want.String() != text {
			t.Errorf("ParseSignal(%q) = %d, %t, and %d is %v; want %d", text, got, found, want, want, want)
		}
	}
	for text, want := range map[string]abi.Signal{"KILL": 9, "SIGIOT": 6, "9": 9, "64": 64, "RT_2": 34} {
		if got, found := abi.ParseSignal(text); !found || got != want {
			t.Errorf("ParseSignal(%q) = %d, %t; want %d", text, got, found, want)
		}
	}
	for _, text := range []string{"", "SIG", "SIGFOO", "0", "65", "-1", "256", "SIGRT_33", "SIGRT_", "sigkill"} {
		if got, found := abi.ParseSignal(text); found {
			t.Errorf("ParseSignal(%q) = %d; want nothing", text, got)
		}
	}
	for number := abi.Signal(1); number <= 64; number++ {
		if back, found := abi.ParseSignal(number.String()); !found || back != number {
			t.Errorf("signal %d is %v, which is %d, %t", number, number, back, found)
		}
	}
	if got := abi.Signal(99).String(); got != "signal 99" {
		t.Errorf("signal 99 is %q", got)
	}
}

func TestCapabilities(t *testing.T) {
	if abi.LastCapability != abi.CAP_CHECKPOINT_RESTORE || abi.CAP_NET_BIND_SERVICE != 10 {
		t.Errorf("last capability %v, CAP_NET_BIND_SERVICE is %d", abi.LastCapability, abi.CAP_NET_BIND_SERVICE)
	}
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		if back, found := abi.ParseCapability(c.String()); !found || back != c {
			t.Errorf("ParseCapability(%q) = %d, %t; want %d", c.String(), back, found, c)
		}
	}
	if got := (abi.LastCapability + 1).String(); got != "CAP_41" {
		t.Errorf("capability 41 is %q", got)
	}
	for _, name := range []string{"", "CAP_", "CAP_41", "NET_ADMIN", "cap_net_admin"} {
		if got, found := abi.ParseCapability(name); found {
			t.Errorf("ParseCapability(%q) = %v; want nothing", name, got)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, test := range []struct {
		name string
		n    int
		want []string
	}{
		{"opneat", 1, []string{"openat"}},
		{"sokcet", 2, []string{"socket"}},
		{"OPENAT", 1, []string{"openat"}},
		{"fstat65", 1, []string{"fstat64"}},
		{"clone33", 1, []string{"clone3"}},
		{"completely_unlike", 3, nil},
		{"", 3, nil},
		{"openat", 0, nil},
	} {
		if got := abi.Nearest(test.name, test.n); !slices.Equal(got, test.want) {
			t.Errorf("Nearest(%q, %d) = %v; want %v", test.name, test.n, got, test.want)
		}
	}
}

func TestNearestConstant(t *testing.T) {
	for name, want := range map[string][]string{"AF_NETLNIK": {"AF_NETLINK"}, "O_DIRECTROY": {"O_DIRECTORY"}, "???": nil} {
		if got := abi.NearestConstant(name, 1); !slices.Equal(got, want) {
			t.Errorf("NearestConstant(%q, 1) = %v; want %v", name, got, want)
		}
	}
}

func TestCallString(t *testing.T) {
	call := func(arch abi.Arch, name string, args ...uint64) abi.Call {
		nr, found := arch.Number(name)
		if !found {
			t.Fatalf("%v has no %s", arch, name)
		}
		c := abi.Call{Arch: arch, Nr: nr}
		copy(c.Args[:], args)
		return c
	}
	minus := func(n uint64) uint64 { return -n }
	for _, test := range []struct {
		call abi.Call
		want string
	}{
		{call(abi.AMD64, "openat", minus(100), 0x7ffe3a10, 0x80000, 0), "openat(AT_FDCWD, 0x7ffe3a10, O_RDONLY|O_CLOEXEC, 0)"},
		{call(abi.AMD64, "openat", 0xffffff9c, 0, 0o101, 0o644), "openat(AT_FDCWD, NULL, O_WRONLY|O_CREAT, 0644)"},
		{call(abi.ARM64, "openat", 3, 1, 0x4000, 0), "openat(3, 0x1, O_RDONLY|O_DIRECTORY, 0)"},
		{call(abi.AMD64, "close", minus(1)), "close(-1)"},
		{call(abi.AMD64, "ioctl", 0, 1<<32|0x5412, 5), "ioctl(0, TIOCSTI, 0x5)"},
		{call(abi.AMD64, "kill", minus(1), 9), "kill(-1, SIGKILL)"},
		{call(abi.AMD64, "kill", 5, 0), "kill(5, 0)"},
		{call(abi.AMD64, "kill", 5, 33), "kill(5, SIGRT_1)"},
		{call(abi.AMD64, "chown", 1, minus(1), 1000), "chown(0x1, -1, 1000)"},
		{call(abi.AMD64, "fchmod", 3, 0x10000|0o755), "fchmod(3, 0755)"},
		{call(abi.AMD64, "lseek", 3, minus(8), 2), "lseek(3, -8, SEEK_END)"},
		{call(abi.AMD64, "munmap", 0, 4096), "munmap(NULL, 4096)"},
		{call(abi.AMD64, "mseal", 4096, 4096, 1), "mseal(0x1000, 4096, 0x1)"},
		{call(abi.AMD64, "getpid"), "getpid()"},
		{call(abi.X32, "read", 3, 1, 2), "read(3, 0x1, 2)"},
		{abi.Call{Arch: abi.AMD64, Nr: 500, Args: [6]uint64{1}}, "amd64:500(0x1, 0, 0, 0, 0, 0)"},
		{abi.Call{}, "none:0(0, 0, 0, 0, 0, 0)"},
	} {
		if got := test.call.String(); got != test.want {
			t.Errorf("%v %d: String() = %s; want %s", test.call.Arch, test.call.Nr, got, test.want)
		}
	}
}

func FuzzCallString(f *testing.F) {
	f.Add(uint8(1), uint32(257), uint64(3), uint64(1)<<32, ^uint64(0))
	f.Add(uint8(5), uint32(1<<30), uint64(0), uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, arch uint8, nr uint32, a, b, c uint64) {
		call := abi.Call{Arch: abi.Arch(arch), Nr: abi.Sysno(nr), Args: [6]uint64{a, b, c, c, b, a}}
		row, known := call.Syscall()
		if text := call.String(); known && (len(text) < len(row.Name)+2 || text[:len(row.Name)] != row.Name) {
			t.Errorf("%v %d is %q; want a call of %s", call.Arch, nr, text, row.Name)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	f.Add("6.1.0-13-amd64")
	f.Add("2.6")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := abi.ParseVersion(text)
		if err != nil {
			return
		}
		if back, err := abi.ParseVersion(v.String()); err != nil || back != v {
			t.Errorf("ParseVersion(%q) = %v, and that is %v, %v", text, v, back, err)
		}
	})
}

func TestParseArch(t *testing.T) {
	for _, arch := range allArches {
		for _, name := range []string{arch.String(), arch.OCI()} {
			if got, found := abi.ParseArch(name); !found || got != arch {
				t.Errorf("ParseArch(%q) = %v, %t; want %v", name, got, found, arch)
			}
		}
		if arch.Audit() == 0 {
			t.Errorf("%v has no audit value", arch)
		}
	}
	for _, name := range []string{"", "none", "AMD64", "SCMP_ARCH_MIPS"} {
		if got, found := abi.ParseArch(name); found {
			t.Errorf("ParseArch(%q) = %v; want nothing", name, got)
		}
	}
}
