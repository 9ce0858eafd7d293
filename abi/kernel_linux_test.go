package abi_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
)

// TestNumbersAgreeWithKernel makes calls that cannot fail by the table's
// numbers.
func TestNumbersAgreeWithKernel(t *testing.T) {
	if abi.Native() == 0 {
		t.Skipf("kernel lacks: an architecture with a table: %s", runtime.GOARCH)
	}
	for name, want := range map[string]int{
		"getpid": os.Getpid(), "getppid": os.Getppid(), "getuid": os.Getuid(), "geteuid": os.Geteuid(), "getgid": os.Getgid(),
		"getpgid": syscall.Getpgrp(), "getegid": os.Getegid(),
	} {
		nr, found := abi.Native().Number(name)
		if !found {
			t.Errorf("%v has no %s", abi.Native(), name)
			continue
		}
		got, _, errno := syscall.RawSyscall(uintptr(nr), 0, 0, 0)
		if errno != 0 || int(got) != want {
			t.Errorf("%s, number %d, gives %d, %v; want %d", name, nr, got, errno, want)
		}
	}
}
