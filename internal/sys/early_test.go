package sys

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Whichever of init and the target fails or dies while the other waits for it,
// both end, and the first error is the one that counts.
func TestNeitherOutwaitsTheOther(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(init, target *Script)
		text    string
		errno   unix.Errno
	}{
		{"target fails", func(init, target *Script) {
			target.Chdir("/no/such")
			target.Reach(NetworkMade)
			init.JoinNetwork()
		}, `enter folder "/no/such"`, unix.ENOENT},
		{"target dies", func(init, target *Script) {
			target.Call("kill self", "", unix.SYS_KILL, 0, int(unix.SIGKILL))
			target.Reach(NetworkMade)
			init.JoinNetwork()
		}, "", 0}, // "kill self", or "join its network namespace" if init comes later
		{"init fails", func(init, target *Script) {
			target.Await(RootMade)
			init.Chdir("/no/such")
			init.Reach(RootMade)
		}, `enter folder "/no/such"`, unix.ENOENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var init, target, earlyTarget Script
			earlyTarget.NewSession() // a group of its own, to be killed alone
			init.AdoptOrphans()
			c.prepare(&init, &target)
			child, err := Start(0, Early{Target: earlyTarget.Cut()})
			if err != nil {
				t.Fatal(err)
			}
			target.Await(Ready)
			target.Exec([]string{"/bin/true"}, []string{"true"}, nil)
			child.Build(&init, &target, 0, 1, 2)
			child.Run()
			if _, err := child.Wait(); err != nil {
				t.Error(err)
			}
			child.Release()
			if step, errno := child.Failure(); step == nil || c.text != "" && (step.Text() != c.text || errno != c.errno) {
				t.Errorf("Failure() = %v, %v; want %s, %v", step, errno, c.text, c.errno)
			}
		})
	}
}

// A child that is given up before it has scripts leaves no target behind.
func TestAbandon(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := Start(0, Early{})
	if err != nil {
		t.Fatal(err)
	}
	child.Abandon()
	if err := unix.Kill(child.Pid, 0); err != unix.ESRCH {
		t.Errorf("init is still there: %v", err)
	}
}
