package abi_test

import (
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
)

func set(t testing.TB, name string) *abi.FlagSet {
	t.Helper()
	s, found := abi.NamedFlagSet(name)
	if !found {
		t.Fatalf("no flag set %q", name)
	}
	return s
}

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		set   string
		arch  abi.Arch
		value uint64
		want  string
	}{
		{"open", abi.AMD64, 0, "O_RDONLY"},
		{"open", abi.AMD64, 0o2, "O_RDWR"},
		{"open", abi.AMD64, 0o2000002, "O_RDWR|O_CLOEXEC"},
		{"open", abi.AMD64, 0o3, "0x3"}, // the mode that allows neither
		{"open", abi.AMD64, 0x8000001, "O_WRONLY|0x8000000"},
		{"open", abi.AMD64, 0o4010000 | 1, "O_WRONLY|O_SYNC"},
		{"open", abi.AMD64, 0o10000, "O_RDONLY|O_DSYNC"},
		{"open", abi.AMD64, 0o20200002, "O_RDWR|O_TMPFILE"},
		{"open", abi.AMD64, 0o200000, "O_RDONLY|O_DIRECTORY"},
		{"open", abi.ARM64, 0o200000, "O_RDONLY|O_DIRECT"},
		{"open", abi.ARM64, 0o40000, "O_RDONLY|O_DIRECTORY"},
		{"prot", abi.AMD64, 0, "PROT_NONE"},
		{"prot", abi.AMD64, 5, "PROT_READ|PROT_EXEC"},
		{"prot", abi.ARM64, 0x11, "PROT_READ|PROT_BTI"},
		{"prot", abi.AMD64, 0x11, "PROT_READ|0x10"},
		{"mmap", abi.AMD64, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"},
		{"mmap", abi.AMD64, 0x32 | 0x40000 | 21<<26, "MAP_PRIVATE|MAP_HUGE_2MB|MAP_FIXED|MAP_ANONYMOUS|MAP_HUGETLB"},
		{"clone", abi.AMD64, 0x10000000 | 17, "SIGCHLD|CLONE_NEWUSER"},
		{"clone", abi.AMD64, 0x3d0f00, "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID"},
		{"socket_type", abi.AMD64, 0o2000001, "SOCK_STREAM|SOCK_CLOEXEC"},
		{"socket_type", abi.AMD64, 3, "SOCK_RAW"},
		{"family", abi.AMD64, 1, "AF_UNIX"},
		{"family", abi.AMD64, 16, "AF_NETLINK"},
		{"family", abi.AMD64, 200, "0xc8"},
		{"futex", abi.AMD64, 0x81, "FUTEX_WAKE|FUTEX_PRIVATE_FLAG"},
		{"ioctl", abi.AMD64, 0x5412, "TIOCSTI"},
		{"ioctl", abi.AMD64, 0x8933, "SIOCGIFINDEX"},
		{"ioctl", abi.AMD64, 0xdeadbeef, "0xdeadbeef"},
		{"fcntl", abi.AMD64, 1030, "F_DUPFD_CLOEXEC"},
		{"fcntl", abi.AMD64, 12, "0xc"},
		{"fcntl", abi.ARM, 12, "F_GETLK64"},
		{"rusage", abi.AMD64, ^uint64(0), "RUSAGE_CHILDREN"},
		{"access", abi.AMD64, 0, "F_OK"},
		{"access", abi.AMD64, 5, "R_OK|X_OK"},
		{"at", abi.AMD64, 0, "0"},
		{"memfd", abi.AMD64, 3, "MFD_CLOEXEC|MFD_ALLOW_SEALING"},
		{"mode", abi.AMD64, 0o100644, "S_IFREG|S_IRUSR|S_IWUSR|S_IRGRP|S_IROTH"},
	} {
		s := set(t, test.set)
		got := s.Format(test.arch, test.value)
		if got != test.want {
			t.Errorf("%s.Format(%v, %#x) = %q; want %q", test.set, test.arch, test.value, got, test.want)
		}
		if back, err := s.Parse(test.arch, got); err != nil || back != test.value {
			t.Errorf("%s.Parse(%v, %q) = %#x, %v; want %#x", test.set, test.arch, got, back, err, test.value)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		set, text string
		want      uint64
	}{
		{"open", "O_RDWR|O_CLOEXEC", 0o2000002},
		{"open", " O_RDWR | 0x80000 ", 0x80002},
		{"open", "0644", 0o644},
		{"family", "AF_LOCAL", 1},
		{"family", "AF_ROUTE", 16},
		{"family", "2", 2},
		{"rusage", "-1", ^uint64(0)},
		{"socket_type", "SOCK_DGRAM|SOCK_NONBLOCK", 0o4002},
	} {
		if got, err := set(t, test.set).Parse(abi.AMD64, test.text); err != nil || got != test.want {
			t.Errorf("%s.Parse(%q) = %#x, %v; want %#x", test.set, test.text, got, err, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ set, text, want string }{
		{"open", "O_RDRW", `open: unknown name "O_RDRW"; did you mean O_RDWR`},
		{"open", "", `open: unknown name ""`},
		{"open", "O_RDWR|", `open: unknown name ""`},
		{"open", "o_rdwr", `did you mean O_RDWR`},
		{"open", "AF_INET", `open: unknown name "AF_INET"`},
		{"prot", "PROT_BTI", `prot: unknown name "PROT_BTI"`}, // arm64's
		{"family", "AF_INET|AF_UNIX", `family "AF_INET|AF_UNIX": values of a choice cannot be combined`},
		{"open", "0x1ffffffffffffffff", `open: unknown name`},
	} {
		got, err := set(t, test.set).Parse(abi.AMD64, test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s.Parse(%q) = %#x, %v; want an error with %q", test.set, test.text, got, err, test.want)
		}
	}
}

func TestFlagSets(t *testing.T) {
	last, count := "", 0
	for s := range abi.FlagSets() {
		if s.Name() <= last {
			t.Errorf("set %s follows %s", s.Name(), last)
		}
		last = s.Name()
		count++
		if found, ok := abi.NamedFlagSet(s.Name()); !ok || found != s {
			t.Errorf("NamedFlagSet(%q) = %v, %t; want the same set", s.Name(), found, ok)
		}
		for _, arch := range allArches {
			for name, value := range s.Values(arch) {
				constant, found := abi.ParseConstant(name, arch)
				if !found || constant != value {
					t.Errorf("set %s has %s = %#x on %v; ParseConstant = %#x, %t", s.Name(), name, value, arch, constant, found)
				}
				checkRoundTrip(t, s, arch, value)
			}
		}
	}
	if count < 100 {
		t.Errorf("%d sets; want 100 or more", count)
	}
	if _, found := abi.NamedFlagSet("nothing"); found {
		t.Error(`NamedFlagSet("nothing") found a set`)
	}
}

func checkRoundTrip(t *testing.T, s *abi.FlagSet, arch abi.Arch, value uint64) {
	t.Helper()
	text := s.Format(arch, value)
	if back, err := s.Parse(arch, text); err != nil || back != value {
		t.Errorf("%s on %v: %#x is %q, which is %#x, %v", s.Name(), arch, value, text, back, err)
	}
}

func FuzzFlagSetFormat(f *testing.F) {
	f.Add("open", uint8(abi.ARM64), uint64(0o2040000))
	f.Add("mmap", uint8(abi.AMD64), uint64(0x22))
	f.Add("clone", uint8(abi.AMD64), ^uint64(0))
	f.Add("fanotify_mark", uint8(abi.AMD64), uint64(0x110))
	f.Fuzz(func(t *testing.T, name string, arch uint8, value uint64) {
		if s, found := abi.NamedFlagSet(name); found {
			checkRoundTrip(t, s, abi.Arch(arch), value)
			return
		}
		for s := range abi.FlagSets() {
			checkRoundTrip(t, s, abi.Arch(arch%uint8(len(allArches)+1)), value)
		}
	})
}

func FuzzFlagSetParse(f *testing.F) {
	f.Add("open", "O_RDWR|0x10|O_SYNC")
	f.Add("family", "AF_INET|AF_UNIX")
	f.Add("rusage", "-1")
	f.Fuzz(func(t *testing.T, name, text string) {
		s, found := abi.NamedFlagSet(name)
		if !found {
			s = set(t, "open")
		}
		if value, err := s.Parse(abi.AMD64, text); err == nil {
			checkRoundTrip(t, s, abi.AMD64, value)
		}
	})
}
