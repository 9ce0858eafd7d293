package sys

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// catching makes a copy of this program catch signals instead of testing.
const catching = "CALLGATE_TEST_CATCH_SIGNALS"

// TestCatchSignalsHelper is the program of TestCatchSignals. It is sent each
// signal and ends with what it caught.
func TestCatchSignalsHelper(t *testing.T) {
	if os.Getenv(catching) == "" {
		t.Skip("only a program for TestCatchSignals")
	}
	caught := make(chan os.Signal, 8)
	if err := CatchSignals(caught, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTSTP, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR1} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if sig != syscall.SIGHUP { // which is ignored
			names = append(names, (<-caught).String())
		}
	}
	os.Stdout.WriteString("caught: " + strings.Join(names, ", ") + "\n")
}

// Each signal is caught, but for those that the program was born to ignore.
func TestCatchSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	cmd := exec.Command(os.Args[0], "-test.run=^TestCatchSignalsHelper$", "-test.v")
	cmd.Env = append(os.Environ(), catching+"=1")
	out, err := cmd.CombinedOutput()
	want := "caught: terminated, stopped, interrupt, user defined signal 1\n"
	if err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v\n%s\nwant %s", err, out, want)
	}
}
