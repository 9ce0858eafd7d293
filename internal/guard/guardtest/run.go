// Package guardtest has what tests of guards need: a run of an attacker behind one,
// in a jail of its own.
package guardtest

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/notify"
	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// asAttacker, in the environment, makes the tests' program one of its attackers.
const asAttacker = "CALLGATE_TEST_ATTACKER"

// Main is for TestMain: it runs the tests, or an attacker, and ends the program.
func Main(m *testing.M, attackers map[string]func()) {
	if name := os.Getenv(asAttacker); name != "" {
		attackers[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Run is a run of an attacker behind a guard.
type Run struct {
	Policy   *policy.Policy
	Folder   string // where the attacker starts
	Attacker string
	Env      []string
	Mounts   bool // in a file tree of its own: else in the machine's
	Limit    int  // of traps that are held
	// Guard returns the program with what stops for the guard, who decides, and what
	// closes the guard. Nil is no guard at all.
	Guard func(Scene) (filter.Program, gate.Handler, func(), error)
}

// Scene is what a guard is made of.
type Scene struct {
	Spec    *jail.Spec
	Policy  *policy.Policy // expanded
	Target  policy.Target
	Program filter.Program // the policy's own
	Present func(jail.Wall) bool
}

// Output returns what the attacker printed. It skips the test where the kernel has
// no seccomp notification, or the user no mounts that are wanted.
func (r Run) Output(t testing.TB) string {
	t.Helper()
	if err := sys.HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	if err := probe.MountNamespaces.Check(); err != nil && r.Mounts {
		t.Skipf("kernel lacks: %v", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	var output bytes.Buffer
	var group sync.WaitGroup
	group.Go(func() { io.Copy(&output, read) })
	target := policy.Target{Arch: abi.Native(), Home: "/nonexistent", Dir: r.Folder}
	p := r.Policy.Expand(target)
	spec := &jail.Spec{Args: []string{program}, Env: append(r.Env, asAttacker+"="+r.Attacker, "GORACE=atexit_sleep_ms=0"), Stdout: write, Stderr: os.Stderr}
	jail.Outline(spec, p)
	spec.Full = r.Mounts
	if err := jail.Apply(spec, p, target); err != nil {
		t.Fatal(err)
	}
	var handler gate.Handler
	closeGuard := func() {}
	spec.Filter = func(present func(jail.Wall) bool) (filter.Program, error) {
		rules, err := p.Filter(target)
		if err != nil {
			return nil, err
		}
		program, err := rules.Filter.Compile()
		if err != nil || r.Guard == nil {
			return program, err
		}
		program, handler, closeGuard, err = r.Guard(Scene{spec, p, target, program, present})
		return program, err
	}
	if r.Guard != nil {
		spec.Listener = func(file *os.File) {
			listener, err := notify.Listen(file)
			if err != nil {
				t.Errorf("listen: %v", err)
				return
			}
			g := gate.Gate{
				Source: listener, Handler: handler, Receivers: runtime.GOMAXPROCS(0), Limit: r.Limit,
				Taps: []gate.Tap{noPanic{t}}, Prepare: func() error { return become(spec) },
			}
			group.Go(func() {
				if err := g.Serve(context.Background()); err != nil {
					t.Errorf("serve: %v", err)
				}
				listener.Close()
				closeGuard()
			})
		}
	}
	result, err := jail.Run(spec, nil)
	write.Close()
	group.Wait()
	if err != nil || result.Status != 0 {
		t.Errorf("the attacker ended with %v, %v", result.Status, err)
	}
	return output.String()
}

func become(spec *jail.Spec) error {
	who, err := spec.Identity()
	if err != nil {
		return err
	}
	return sys.Become(who)
}

// noPanic fails a test whose handler panicked.
type noPanic struct{ testing.TB }

func (n noPanic) Wants(e event.Event) bool {
	return strings.HasPrefix(e.Why.Text, "the handler failed")
}

func (n noPanic) Observe(e event.Event) {
	if n.Wants(e) {
		n.Errorf("%s: %s", e, e.Why.Text)
	}
}
