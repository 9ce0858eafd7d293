package sys

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// launch runs a target script in a child without namespaces and waits for it.
func launch(t *testing.T, prepare func(init, target *Script)) (*Child, unix.WaitStatus) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := Start(0, Early{})
	if err != nil {
		t.Fatalf("Start() = %v", err)
	}
	var init, target Script
	init.AdoptOrphans()
	prepare(&init, &target)
	child.Build(&init, &target, 0, 1, 2)
	child.Run()
	status, err := child.Wait()
	child.Release()
	if err != nil {
		t.Fatalf("Wait() = %v", err)
	}
	return child, status
}

func sh(target *Script, command string) {
	target.SignalMask()
	target.Exec([]string{"/bin/sh"}, []string{"sh", "-c", command}, []string{"PATH=/usr/bin:/bin"})
}

func TestLaunchReturnsTheTargetsStatus(t *testing.T) {
	for _, c := range []struct {
		command string
		want    unix.WaitStatus
	}{
		{"exit 0", 0},
		{"exit 3", 3 << 8},
		{"kill -9 $$", unix.WaitStatus(unix.SIGKILL)},
		{"kill -SEGV $$", unix.WaitStatus(unix.SIGSEGV)},
	} {
		child, status := launch(t, func(_, target *Script) { sh(target, c.command) })
		if status&^0x80 != c.want { // without the core-dumped bit
			t.Errorf("%q: status %#x; want %#x", c.command, status, c.want)
		}
		if step, errno := child.Failure(); step != nil {
			t.Errorf("%q: Failure() = %v, %v; want none", c.command, step, errno)
		}
	}
}

func TestLaunchNamesTheStepThatFailed(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(init, target *Script)
		text    string
		errno   unix.Errno
	}{
		{"init", func(init, target *Script) { init.Chdir("/no/such/folder"); sh(target, "true") }, `enter folder "/no/such/folder"`, unix.ENOENT},
		{"target", func(_, target *Script) { target.Chdir("/etc/passwd"); sh(target, "true") }, `enter folder "/etc/passwd"`, unix.ENOTDIR},
		{"program missing", func(_, target *Script) { target.Exec([]string{"/no/such"}, []string{"x"}, nil) }, `execute "/no/such"`, unix.ENOENT},
		{"candidates: not executable outlives missing", func(_, target *Script) {
			target.Exec([]string{"/no/such", "/etc/passwd", "/no/other"}, []string{"x"}, nil)
		}, `execute "/no/other"`, unix.EACCES},
		{"dies in between", func(_, target *Script) {
			target.Call("kill self", "", unix.SYS_KILL, 0, int(unix.SIGKILL))
			sh(target, "true")
		}, "kill self", 0},
	} {
		child, _ := launch(t, func(init, target *Script) {
			target.NewSession() // a group of its own, to be killed alone
			c.prepare(init, target)
		})
		step, errno := child.Failure()
		if step == nil || step.Text() != c.text || errno != c.errno {
			t.Errorf("%s: Failure() = %v, %v; want %s, %v", c.name, step, errno, c.text, c.errno)
		}
	}
}

// A filter may refuse execve and the exit after it: the target ends nevertheless.
func TestLaunchEndsWhereExitIsRefused(t *testing.T) {
	refuseAll := []FilterInstruction{{Code: 0x06, K: 0x00050000 | uint32(unix.EPERM)}} // BPF_RET, SECCOMP_RET_ERRNO
	child, status := launch(t, func(_, target *Script) {
		target.DieWithParent()
		target.SignalMask()
		target.NoNewPrivileges()
		target.Filter(refuseAll)
		target.Exec([]string{"/bin/sh"}, []string{"sh"}, nil)
	})
	if step, errno := child.Failure(); step == nil || step.Text() != `execute "/bin/sh"` || errno != unix.EPERM {
		t.Errorf("Failure() = %v, %v; want execute \"/bin/sh\", EPERM", step, errno)
	}
	if !status.Signaled() {
		t.Errorf("status %#x; want a signal", status)
	}
}

func TestExecTakesTheFirstCandidateThatWorks(t *testing.T) {
	child, status := launch(t, func(_, target *Script) {
		target.SignalMask()
		target.Exec([]string{"/no/such", "/etc/passwd", "/bin/sh"}, []string{"sh", "-c", "exit 7"}, nil)
	})
	if step, _ := child.Failure(); step != nil || status.ExitStatus() != 7 {
		t.Errorf("exit %d, failure %v; want 7, none", status.ExitStatus(), step)
	}
}

func TestRegistersCarryDescriptors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, func(init, target *Script) { init.WriteFile(file, "written by a step"); sh(target, "true") })
	if got, _ := os.ReadFile(file); string(got) != "written by a step" {
		t.Errorf("file holds %q", got)
	}
}

// What the target leaves running must be gone when Wait returns, also without a
// pid namespace to end it.
func TestWaitLeavesNothingRunning(t *testing.T) {
	marker := "callgate-leftover-" + filepath.Base(t.TempDir())
	launch(t, func(_, target *Script) {
		sh(target, "for i in 1 2 3; do (setsid sh -c 'sleep 1000; : "+marker+"' &) ; done; exit 0")
	})
	out, _ := exec.Command("ps", "-eo", "args").Output()
	if strings.Contains(string(out), marker) {
		t.Errorf("still running after Wait:\n%s", out)
	}
}

// The target must start as from a shell: no signal blocked, none caught, and
// those that were ignored still ignored.
func TestTargetStartsWithCleanSignals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status")
	launch(t, func(_, target *Script) { sh(target, "cat /proc/self/status >"+file) })
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(got)), "\n") {
		name, value, _ := strings.Cut(line, ":\t")
		if (name == "SigBlk" || name == "SigCgt") && value != "0000000000000000" {
			t.Errorf("%s = %s; want none", name, value)
		}
	}
	if !strings.Contains(string(got), "SigBlk") {
		t.Errorf("no SigBlk in %q", got)
	}
}
