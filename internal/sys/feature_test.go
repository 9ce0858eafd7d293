package sys

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
	before := threads(t)
	for range 200 { // an earlier test's thread may still be ending
		if len(before) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
		before = threads(t)
	}
	if len(before) != 1 {
		t.Fatalf("the threads differ before the test: %q", before)
	}
	probes := []func() error{
		HasFilter, HasNotify, HasKillableWait, HasNoNewPrivs, HasAmbientCapabilities,
		func() error { _, err := HasLandlock(); return err },
	}
	for _, probe := range probes {
		if err := probe(); err != nil {
			t.Log(err) // what this machine lacks is no failure of the probe
		}
	}
	var after []string
	for range 200 { // a thread ends a little after what ran on it
		if after = threads(t); slices.Equal(after, before) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("after the probes threads have %q; before they had %q", after, before)
}

// threads returns the different privileges this process's threads have.
func threads(t *testing.T) (different []string) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		content, err := os.ReadFile(task)
		if err != nil {
			continue // the thread is gone
		}
		var lines []string
		for line := range strings.Lines(string(content)) {
			for _, name := range []string{"Cap", "NoNewPrivs", "Seccomp"} {
				if strings.HasPrefix(line, name) {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
		}
		if privileges := strings.Join(lines, ", "); !slices.Contains(different, privileges) {
			different = append(different, privileges)
		}
	}
	return different
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
	err = Try(0, func(s *Script) { s.Call("die", "", unix.SYS_EXIT_GROUP, 9) })
	if !errors.Is(err, errKilled) {
		t.Errorf("Try of a child that dies = %v; want %v", err, errKilled)
	}
}
