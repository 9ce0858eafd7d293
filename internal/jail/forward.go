package jail

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// forwarder hands signals to a running target and ends it at its time-out.
type forwarder struct {
	done     chan struct{}
	timedOut atomic.Bool
}

func startForwarding(pid int, signals <-chan os.Signal, timeout time.Duration) *forwarder {
	f := &forwarder{done: make(chan struct{})}
	if signals != nil || timeout > 0 {
		go f.loop(pid, signals, timeout)
	}
	return f
}

// stop ends the forwarding and reports whether the time-out fell.
func (f *forwarder) stop() bool {
	close(f.done)
	return f.timedOut.Load()
}

func (f *forwarder) loop(pid int, signals <-chan os.Signal, timeout time.Duration) {
	var limit, kill <-chan time.Time
	if timeout > 0 {
		limit = time.After(timeout)
	}
	for {
		select {
		case <-f.done:
			return
		case sig := <-signals:
			relay(pid, sig.(syscall.Signal))
		case <-limit:
			f.timedOut.Store(true)
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
	switch sig {
	case syscall.SIGTSTP:
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case syscall.SIGTERM, syscall.SIGHUP:
		syscall.Kill(pid, syscall.SIGCONT) // a stopped target could not end
	}
}
