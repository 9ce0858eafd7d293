package sys

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAnswersTellsAnUnknownCall(t *testing.T) {
	if err := answers(unix.EINVAL, 10_000); !errors.Is(err, unix.ENOSYS) {
		t.Errorf("answers on a call no kernel has = %v; want ENOSYS", err)
	}
	if err := answers(unix.EBADF, unix.SYS_CLOSE, none); err != nil {
		t.Errorf("answers on close(-1) = %v; want nil", err)
	}
	if err := answers(unix.EINVAL, unix.SYS_GETPID); err == nil {
		t.Error("answers on a call that is taken = nil; want an error")
	}
}

func TestDoomedThreadLeavesNothing(t *testing.T) {
	before := status(t)
	for _, probe := range []func() error{HasFilter, HasNotify, HasKillableWait, HasNoNewPrivs, HasAmbientCapabilities} {
		if err := probe(); err != nil {
			t.Log(err) // what this machine lacks is no failure of the probe
		}
	}
	if after := status(t); after != before {
		t.Errorf("after the probes the process is %s; before it was %s", after, before)
	}
}

// status returns what the kernel says of this process's privileges.
func status(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		for _, name := range []string{"Cap", "NoNewPrivs", "Seccomp"} {
			if strings.HasPrefix(line, name) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return strings.Join(lines, ", ")
}

func TestOnDoomedThreadReturnsTheError(t *testing.T) {
	want := errors.New("x")
	if err := OnDoomedThread(func() error { return want }); err != want {
		t.Errorf("OnDoomedThread = %v; want %v", err, want)
	}
}

func TestTryNamesTheStep(t *testing.T) {
	err := Try(0, func(s *Script) { s.Chdir("/no such folder") })
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), `"/no such folder"`) {
		t.Errorf("Try = %v; want ENOENT and the step", err)
	}
	if err := Try(0, nil); err != nil {
		t.Errorf("Try of nothing = %v; want nil", err)
	}
	err = Try(0, func(s *Script) { s.Call("die", unix.SYS_EXIT_GROUP, 9) })
	if !errors.Is(err, errKilled) {
		t.Errorf("Try of a child that dies = %v; want %v", err, errKilled)
	}
}
