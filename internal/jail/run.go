package jail

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// Result is how a target ended.
type Result struct {
	Status   syscall.WaitStatus
	Missing  []Missing // walls it ran without
	TimedOut bool
}

// host is what the caller is and the kernel has.
type host struct {
	uid, gid       int
	privileged     bool // makes every namespace without a user namespace
	setsGroups     bool // CAP_SETGID
	dropsBounding  bool // CAP_SETPCAP
	raisesLimits   bool // CAP_SYS_RESOURCE
	lastCapability int
	landlock       int // ABI, 0 without
}

const (
	capSetGID      = 6
	capSetPCap     = 8
	capSysResource = 24
)

func thisHost() (host, error) {
	effective, err := sys.EffectiveCapabilities()
	if err != nil {
		return host{}, fmt.Errorf("read own capabilities: %w", err)
	}
	return host{
		uid: os.Geteuid(), gid: os.Getegid(),
		privileged:    effective.MakesNamespaces(),
		setsGroups:    effective.Has(capSetGID),
		dropsBounding: effective.Has(capSetPCap),
		raisesLimits:  effective.Has(capSysResource),
	}, nil
}

// complete adds what only the plan needs, unless it is there.
func (h *host) complete() {
	if h.lastCapability != 0 {
		return
	}
	h.lastCapability = sys.CapLast()
	h.landlock, _ = sys.LandlockABI() // absent: creating the ruleset says why
	h.setsGroups = h.setsGroups && setgroupsAllowed()
}

// setgroupsAllowed is false in a user namespace whose maker gave that up
// (user_namespaces(7)).
func setgroupsAllowed() bool {
	text, err := sys.ReadShort("/proc/self/setgroups")
	return err != nil || text != "deny\n"
}

// Run starts the target, forwards the signals it receives, and waits for the
// end. The target has run if and only if the error is nil. Run must be called
// on the main thread or on another that outlives it.
func Run(s *Spec, signals <-chan os.Signal) (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	host, err := thisHost()
	if err != nil {
		return Result{}, err
	}
	closeNull, err := s.fillStreams()
	if err != nil {
		return Result{}, err
	}
	defer closeNull()
	var result Result
	walls := s.initial(host)
	for {
		result.Status, result.TimedOut, err = s.attempt(host, walls, signals)
		var failed *WallError
		if !errors.As(err, &failed) {
			return result, err
		}
		if s.unheard(failed) {
			s.Listener = nil
			continue
		}
		lost, err := s.without(walls, failed)
		if err != nil {
			return result, err
		}
		if slices.Contains(lost, Mounts) {
			remove, err := s.ownTmp()
			if err != nil {
				return result, err
			}
			defer remove()
		}
		for _, wall := range lost {
			walls[wall] = false
			result.Missing = append(result.Missing, Missing{wall, failed})
		}
		if s.Degraded != nil {
			s.Degraded(result.Missing)
		}
	}
}

// fillStreams gives /dev/null to the standard streams that were left out.
func (s *Spec) fillStreams() (closeNull func(), err error) {
	var null *os.File
	for _, stream := range []**os.File{&s.Stdin, &s.Stdout, &s.Stderr} {
		if *stream != nil {
			continue
		}
		if null == nil {
			if null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
				return nil, err
			}
		}
		*stream = null
	}
	return func() { null.Close() }, nil
}

// completeAside completes the Spec and the plan while the caller clones.
func (s *Spec) completeAside(p *plan, host host, walls wallSet, between channels) <-chan error {
	done := make(chan error, 1)
	go func() {
		if late := s.Late; late != nil {
			s.Late = nil
			if err := late(s); err != nil {
				done <- err
				return
			}
		}
		host.complete()
		done <- p.complete(s, host, walls, between)
	}()
	return done
}

// attempt builds the given walls and runs the target behind them.
func (s *Spec) attempt(host host, walls wallSet, signals <-chan os.Signal) (syscall.WaitStatus, bool, error) {
	between, err := s.openChannels()
	if err != nil {
		return 0, false, err
	}
	defer between.close()
	flags := s.cloneFlags(walls) // before the plan's goroutine owns the Spec
	plan := s.planEarly(host, walls)
	planning := s.completeAside(plan, host, walls, between)
	child, cloneErr := sys.StartMaking(flags, plan.early, between.sockets)
	var networkErr error
	if cloneErr == nil && between.sockets != nil {
		var stop func()
		if stop, networkErr = s.connectRelay(child.Pid, between.sockets); networkErr == nil {
			defer stop()
		}
	}
	planErr := <-planning
	if planErr == nil {
		planErr = networkErr
	}
	if cloneErr != nil && planErr == nil {
		var errno syscall.Errno
		errors.As(cloneErr, &errno)
		return 0, false, &WallError{Wall: cloneWall(walls), Step: sys.CloneStep, Errno: errno}
	}
	if planErr != nil {
		if cloneErr == nil {
			child.Abandon()
		}
		return 0, false, planErr
	}
	child.Build(plan.init, plan.target, s.descriptors(between)...)
	if s.Starting != nil { // while init builds
		if err := s.Starting(); err != nil {
			child.Abandon()
			return 0, false, err
		}
	}
	child.Run()
	forward := startForwarding(child.Pid, signals, s.Timeout)
	between.start(s, child) // may wait for the target: signals and the time-out don't
	status, err := child.Wait()
	child.Leave()
	timedOut := forward.stop()
	if err != nil {
		return 0, false, fmt.Errorf("wait for process %d: %w", child.Pid, err)
	}
	if step, errno := child.Failure(); step != nil && !(errno == 0 && timedOut) {
		return 0, false, s.stepError(step, errno)
	}
	return syscall.WaitStatus(status), timedOut, nil
}

// stepError turns a failed step into the error that the caller shows.
func (s *Spec) stepError(step *sys.Step, errno syscall.Errno) error {
	if step.Op == sys.OpExec {
		return s.execError(errno)
	}
	return &WallError{Wall: Wall(step.Wall), Step: step.Text(), Errno: errno}
}

// grace is how long a target may take to end after SIGTERM.
const grace = 2 * time.Second
