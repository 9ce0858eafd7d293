package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain runs the tests in a network namespace of their own, so that port 25
// is free and nobody else's; and it lets a confined copy of this very program
// play the attacker.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "attack":
		syscall.Exit(attackAndTell(os.Args[2])) // os.Exit would wait a second under the race detector
	case os.Getenv(insideVariable) == "":
		os.Exit(rerunInside())
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if err := raiseLoopback(); err != nil {
		fmt.Fprintf(os.Stderr, "raise the loopback interface: %v\n", err)
		return 1
	}
	var err error
	if programs, err = os.MkdirTemp("", "callgate-mail-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	return m.Run()
}

// insideVariable is set in the copy that has its own network namespace: to
// "alone" there, or to why there is none.
const insideVariable = "CALLGATE_MAIL_TEST"

// rerunInside starts the tests again in a network namespace, and for an
// ordinary user in a user namespace around it.
func rerunInside() int {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	again := func(attr *syscall.SysProcAttr, why string) error {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), insideVariable+"="+why)
		cmd.SysProcAttr = attr
		return cmd.Run()
	}
	err := again(attr, "alone")
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		err = again(nil, err.Error())
	}
	if errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// raiseLoopback sets the interface lo up.
func raiseLoopback() error {
	if os.Getenv(insideVariable) != "alone" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// alone skips a test that needs port 25 to itself.
func alone(t *testing.T) {
	t.Helper()
	if why := os.Getenv(insideVariable); why != "alone" {
		t.Skipf("kernel lacks: a network namespace for this user: %s", why)
	}
}

// landlockPorts skips a test of a policy that names ports, where Landlock
// doesn't know them: before ABI 4, Linux 6.7.
func landlockPorts(t *testing.T) {
	t.Helper()
	abi, _, _ := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if int(abi) < 4 {
		t.Skipf("kernel lacks: Landlock's rules for ports (ABI 4); it has ABI %d", int(abi))
	}
}
