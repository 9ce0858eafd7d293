package abi_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
)

func TestParseConstant(t *testing.T) {
	for _, test := range []struct {
		name  string
		arch  abi.Arch
		want  uint64
		found bool
	}{
		{"AF_NETLINK", abi.AMD64, 16, true},
		{"TIOCSTI", abi.ARM64, 0x5412, true},
		{"CLONE_NEWUSER", abi.RISCV64, 1 << 28, true},
		{"O_DIRECTORY", abi.AMD64, 0o200000, true},
		{"O_DIRECTORY", abi.ARM64, 0o40000, true},
		{"O_DIRECTORY", abi.RISCV64, 0o200000, true},
		{"O_NOFOLLOW", abi.ARM, 0o100000, true},
		{"MAP_32BIT", abi.AMD64, 0x40, true},
		{"MAP_32BIT", abi.ARM64, 0, false},
		{"PROT_BTI", abi.ARM64, 0x10, true},
		{"PROT_BTI", abi.AMD64, 0, false},
		{"AT_FDCWD", abi.AMD64, ^uint64(99), true},
		{"IPPROTO_TCP", abi.AMD64, 6, true},
		{"SIGSYS", abi.ARM64, 31, true},
		{"SO_PEERCRED", abi.AMD64, 17, true},
		{"SECCOMP_IOCTL_NOTIF_RECV", abi.AMD64, 0xc0502100, true},
		{"PR_SET_NO_NEW_PRIVS", abi.AMD64, 38, true},
		{"CAP_LAST_CAP", abi.AMD64, 40, true},
		{"AF_NETLINK", 0, 16, true}, // the same everywhere
		{"O_DIRECTORY", 0, 0, false},
		{"AF_", abi.AMD64, 0, false},
		{"", abi.AMD64, 0, false},
		{"ZZZ", abi.AMD64, 0, false},
	} {
		got, found := abi.ParseConstant(test.name, test.arch)
		if got != test.want || found != test.found {
			t.Errorf("ParseConstant(%q, %v) = %#x, %t; want %#x, %t", test.name, test.arch, got, found, test.want, test.found)
		}
	}
}

// TestConstantsAgreeWithXSys compares the constants that golang.org/x/sys/unix
// has too. It takes its values from a compiler that includes the headers, we
// read them ourselves.
func TestConstantsAgreeWithXSys(t *testing.T) {
	// x/sys gives the C library's value, or one that suits Go, to these.
	other := map[string]bool{
		"O_LARGEFILE": true, "SIGRTMIN": true, "SIGRTMAX": true, "RLIM_INFINITY": true,
		"F_GETLK": true, "F_SETLK": true, "F_SETLKW": true, // the 64-bit twins, on 32-bit architectures
		"SO_RCVTIMEO": true, "SO_SNDTIMEO": true,
	}
	for arch, suffix := range map[abi.Arch]string{
		abi.AMD64: "amd64", abi.ARM64: "arm64", abi.RISCV64: "riscv64", abi.I386: "386", abi.ARM: "arm",
	} {
		compared := 0
		for _, file := range []string{"zerrors_linux.go", "zerrors_linux_" + suffix + ".go"} {
			for name, want := range readXSysConstants(t, filepath.Join(xsysFolder(t), file)) {
				got, found := abi.ParseConstant(name, arch)
				if !found || other[name] {
					continue
				}
				compared++
				if got != want {
					t.Errorf("ParseConstant(%q, %v) = %#x; x/sys has %#x", name, arch, got, want)
				}
			}
		}
		if compared < 1000 {
			t.Errorf("only %d constants compared for %v; want 1000 or more", compared, arch)
		}
	}
}

var constantLine = regexp.MustCompile(`^\s+([A-Z]\w+)\s+= (?:Errno\(|syscall\.\w+\()?(-?(?:0x)?[0-9a-f]+)\)?$`)

func readXSysConstants(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := make(map[string]uint64)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		match := constantLine.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		if negative, err := strconv.ParseInt(match[2], 0, 64); err == nil {
			found[match[1]] = uint64(negative)
		} else if value, err := strconv.ParseUint(match[2], 0, 64); err == nil {
			found[match[1]] = value
		} else if !strings.HasPrefix(match[1], "_") {
			t.Errorf("%s: %v", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
