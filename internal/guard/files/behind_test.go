package files

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// asAttacker, in the environment, makes the tests' program one of the attackers.
const asAttacker = "CALLGATE_TEST_ATTACKER"

func TestMain(m *testing.M) {
	if name := os.Getenv(asAttacker); name != "" {
		attackers[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// behind is a run of an attacker behind patterns.
type behind struct {
	folder string // where it starts, and writes
	hidden []string
	ro     []string
	mounts bool                        // in a file tree of its own
	bare   bool                        // without a handler
	server func(*Handler) gate.Handler // what serves in the handler's stead, or nil
	lift   func(*gate.Refusal) (allowed, forGood bool)
}

// run returns what the attacker printed.
func (b behind) run(t testing.TB, attacker string, env ...string) string {
	t.Helper()
	if err := sys.HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	if err := probe.MountNamespaces.Check(); err != nil && b.mounts {
		t.Skipf("kernel lacks: %v", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	target := policy.Target{Arch: abi.Native(), Home: "/nonexistent", Dir: b.folder}
	p := b.policy(t, filepath.Dir(program)).Expand(target)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	var group sync.WaitGroup
	defer read.Close()
	group.Go(func() { io.Copy(&output, read) })
	spec := &jail.Spec{Args: []string{program}, Env: append(env, asAttacker+"="+attacker, "GORACE=atexit_sleep_ms=0"), Stdout: write, Stderr: os.Stderr}
	jail.Outline(spec, p)
	spec.Full = b.mounts
	if err := jail.Apply(spec, p, target); err != nil {
		t.Fatal(err)
	}
	var handler *Handler
	mux := &gate.Mux{}
	spec.Filter = func(present func(jail.Wall) bool) (filter.Program, error) {
		if present(jail.Mounts) != b.mounts {
			return nil, fmt.Errorf("with mounts is %t", !b.mounts)
		}
		patterns, err := p.Patterns(target, jail.RealFolder)
		if err != nil {
			return nil, err
		}
		var places []Place
		for _, place := range spec.Places(b.mounts) {
			places = append(places, Place{place.Path, policy.Access(place.Access)})
		}
		none := patterns == nil
		if none {
			patterns = &policy.Patterns{}
		}
		handler = New(patterns, places, b.mounts, present(jail.Pids))
		rules, err := p.Filter(target)
		if err != nil {
			return nil, err
		}
		program, err := rules.Filter.Compile()
		if err != nil {
			return nil, err
		}
		if b.bare {
			return program, nil
		}
		if b.lift == nil {
			return handler.Route(program, target.Arch, mux)
		}
		lifter := NewLifter(handler, without)
		if !none {
			if program, err = handler.Route(program, target.Arch, mux); err != nil {
				return nil, err
			}
		}
		return lifter.Route(program, target.Arch, mux)
	}
	spec.Listener = func(file *os.File) {
		listener, err := notify.Listen(file)
		if err != nil {
			t.Errorf("listen: %v", err)
			return
		}
		g := gate.Gate{Source: listener, Handler: mux, Receivers: runtime.GOMAXPROCS(0), Limit: Limit, Taps: []gate.Tap{noPanic{t}}, Prepare: func() error {
			who, err := spec.Identity()
			if err != nil {
				return err
			}
			return sys.Become(who)
		}}
		if b.server != nil {
			g.Handler = b.server(handler)
		}
		if b.lift != nil {
			g.Handler = lifting(mux, b.lift)
		}
		group.Go(func() {
			if err := g.Serve(context.Background()); err != nil {
				t.Errorf("serve: %v", err)
			}
			listener.Close()
			handler.Close()
		})
	}
	result, err := jail.Run(spec, nil)
	write.Close()
	group.Wait()
	if err != nil || result.Status != 0 {
		t.Errorf("the attacker ended with %v, %v", result.Status, err)
	}
	return output.String()
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

func (b behind) policy(t testing.TB, programs string) *policy.Policy {
	t.Helper()
	base, err := policy.Load(nil, "default")
	if err != nil {
		t.Fatal(err)
	}
	own := &policy.Policy{}
	at := policy.Origin{File: "test"}
	for _, list := range []struct {
		to    *[]policy.Path
		texts []string
	}{
		{&own.Files.ReadWrite, []string{"."}},
		{&own.Files.Exec, []string{programs}},
		{&own.Files.Hidden, b.hidden},
		{&own.Files.ReadOnly, b.ro},
	} {
		for _, text := range list.texts {
			path, err := policy.ParsePath(text)
			if err != nil {
				t.Fatal(err)
			}
			path.At = at
			*list.to = append(*list.to, path)
		}
	}
	return policy.Merge(base, own)
}

// put writes a file in a folder.
func put(t testing.TB, folder, name, text string) {
	t.Helper()
	name = filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
