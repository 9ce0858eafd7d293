package jail

import (
	"os"
	"syscall"
	"time"
)

// forwarder hands signals to a running target and ends it at its time-out.
type forwarder struct {
	done  chan struct{}
	ended chan bool // whether the time-out fell
}

func startForwarding(pid int, signals <-chan os.Signal, timeout time.Duration) *forwarder {
	f := &forwarder{done: make(chan struct{}), ended: make(chan bool, 1)}
	if signals == nil && timeout == 0 {
		f.ended <- false
		return f
	}
	go f.loop(pid, signals, timeout)
	return f
}

// stop ends the forwarding and reports whether the time-out fell.
func (f *forwarder) stop() bool {
	close(f.done)
	return <-f.ended
}

func (f *forwarder) loop(pid int, signals <-chan os.Signal, timeout time.Duration) {
	var limit, kill <-chan time.Time
	if timeout > 0 {
		limit = time.After(timeout)
	}
	timedOut := false
	for {
		select {
		case <-f.done:
			f.ended <- timedOut
			return
		case sig := <-signals:
			relay(pid, sig.(syscall.Signal))
		case <-limit:
			timedOut = true
			syscall.Kill(pid, syscall.SIGTERM)
			syscall.Kill(pid, syscall.SIGCONT) // a stopped target can't end
			kill = time.After(grace)
		case <-kill:
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// relay passes a signal on through init. A stop from the terminal stops both
// sides: init turns it into SIGSTOP, since the target's group, in a session
// without that terminal, would ignore SIGTSTP.
func relay(pid int, sig syscall.Signal) {
	syscall.Kill(pid, sig)
	if sig == syscall.SIGTSTP {
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}
