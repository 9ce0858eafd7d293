package sys

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// stopAll has every call of a target stop for its listener.
var stopAll = []FilterInstruction{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF}}

// listening starts a target whose every call stops, and returns its listener.
func listening(t *testing.T, prepare func(target *Script), socketGone bool) (*Child, int) {
	t.Helper()
	if err := HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	runtime.LockOSThread() // init dies with this thread
	t.Cleanup(runtime.UnlockOSThread)
	ours, theirs, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	child, err := Start(0, Early{Listens: true})
	if err != nil {
		t.Fatal(err)
	}
	var init, target Script
	prepare(&target)
	target.Close(target.OpenPath(Here, "/")) // a register that was used before
	target.NoNewPrivileges()
	target.SignalMask()
	socket := int(theirs.Fd())
	target.Listen(stopAll, 0, socket, true)
	target.Exec([]string{"/bin/true"}, []string{"true"}, nil)
	keep := []int{0, 1, 2, socket}
	if socketGone {
		keep = keep[:3]
	}
	child.Build(&init, &target, keep...)
	theirs.Close()
	child.Run()
	listener, err := ReceiveFile(ours, "listener")
	if err != nil {
		return child, -1
	}
	t.Cleanup(func() { listener.Close() })
	return child, int(listener.Fd())
}

// Every call of the target stops from its first on, write among them, and none
// is needed to get the listener out.
func TestListen(t *testing.T) {
	child, listener := listening(t, func(*Script) {}, false)
	if listener < 0 {
		_, errno := child.Failure()
		t.Fatalf("no listener: %v", errno)
	}
	size, answerSize, err := NotificationSizes()
	if err != nil {
		t.Fatal(err)
	}
	buffer, answer := make([]uint64, size/8), make([]uint64, answerSize/8)
	first := ""
	for calls := 0; ; calls++ {
		n, err := ReceiveNotification(listener, buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			t.Fatalf("ReceiveNotification() = %v", err)
		case calls == 0 && n.Nr == unix.SYS_EXECVE:
			first = "execve"
		}
		last := n.Nr == unix.SYS_EXIT_GROUP
		if err := AnswerNotification(listener, answer, NotificationAnswer{ID: n.ID, Flags: NotificationContinue}); err != nil {
			t.Fatalf("AnswerNotification() = %v", err)
		}
		if last {
			break
		}
	}
	status, err := child.Wait()
	child.Release()
	if err != nil || status != 0 || first != "execve" {
		t.Errorf("Wait() = %v, %v; the first call was %q; want 0 and execve", status, err, first)
	}
	if step, errno := child.Failure(); step != nil {
		t.Errorf("Failure() = %v, %v; want none", step, errno)
	}
}

func TestListenFails(t *testing.T) {
	for _, c := range []struct {
		name       string
		prepare    func(*Script)
		socketGone bool
		text       string
		errno      unix.Errno
	}{
		{"before there is a listener", func(target *Script) { target.Chdir("/no/such") }, false, `enter folder "/no/such"`, unix.ENOENT},
		{"killed before", func(target *Script) { target.Call("kill self", "", unix.SYS_KILL, 0, int(unix.SIGKILL)) }, false, "kill self", 0},
		{"handing over", func(*Script) {}, true, "hand over listener", unix.EBADF},
	} {
		child, listener := listening(t, func(target *Script) {
			target.NewSession()
			c.prepare(target)
		}, c.socketGone)
		if listener >= 0 {
			t.Errorf("%s: a listener came; want none", c.name)
		}
		if _, err := child.Wait(); err != nil {
			t.Errorf("%s: Wait() = %v", c.name, err)
		}
		child.Release()
		step, errno := child.Failure()
		if step == nil || step.Text() != c.text || errno != c.errno {
			t.Errorf("%s: Failure() = %v, %v; want %s, %v", c.name, step, errno, c.text, c.errno)
		}
	}
}
