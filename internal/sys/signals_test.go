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

func init() {
	if os.Getenv(catching) != "" {
		catchOwnSignals()
		os.Exit(0)
	}
}

// catchOwnSignals sends this program each signal and prints what it caught.
func catchOwnSignals() {
	caught := make(chan os.Signal, 8)
	if err := CatchSignals(caught, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTSTP, syscall.SIGUSR1); err != nil {
		panic(err)
	}
	var names []string
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR1} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			panic(err)
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
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), catching+"=1")
	out, err := cmd.CombinedOutput()
	want := "caught: terminated, stopped, interrupt, user defined signal 1\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant %s", err, out, want)
	}
}
