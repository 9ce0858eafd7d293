package sockets

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
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

// behind is a run of an attacker behind a list of sockets.
type behind struct {
	folder string                      // which it sees and writes
	unix   []string                    // nil is no list
	server func(*Handler) gate.Handler // what serves in the handler's stead, or nil
}

// run returns what the attacker printed.
func (b behind) run(t *testing.T, attacker string, env ...string) string {
	t.Helper()
	if err := sys.HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	if err := probe.MountNamespaces.Check(); err != nil {
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
	group.Go(func() { io.Copy(&output, read) })
	spec := &jail.Spec{Args: []string{program}, Env: append(env, asAttacker+"="+attacker, "GORACE=atexit_sleep_ms=0"), Stdout: write, Stderr: os.Stderr}
	jail.Outline(spec, p)
	if err := jail.Apply(spec, p, target); err != nil {
		t.Fatal(err)
	}
	handler := &Handler{Network: &p.Network, Finder: files.Finder{OwnProc: true}}
	mux := &gate.Mux{}
	spec.Filter = func(func(jail.Wall) bool) (filter.Program, error) {
		rules, err := p.Filter(target)
		if err != nil {
			return nil, err
		}
		program, err := rules.Filter.Compile()
		if err != nil {
			return nil, err
		}
		if handler.Sockets, err = p.Sockets(target, jail.RealFolder); err != nil || handler.Sockets == nil {
			return program, err
		}
		return handler.Route(program, target.Arch, mux)
	}
	spec.Listener = func(file *os.File) {
		listener, err := notify.Listen(file)
		if err != nil {
			t.Errorf("listen: %v", err)
			return
		}
		g := gate.Gate{Source: listener, Handler: mux, Receivers: 1, Limit: Limit, Prepare: func() error {
			who, err := spec.Identity()
			if err != nil {
				return err
			}
			return sys.Become(who)
		}}
		if b.server != nil {
			g.Handler = b.server(handler)
		}
		group.Go(func() {
			if err := g.Serve(context.Background()); err != nil {
				t.Errorf("serve: %v", err)
			}
			listener.Close()
			handler.Close()
		})
	}
	if b.unix == nil {
		spec.Listener = nil
	}
	result, err := jail.Run(spec, nil)
	write.Close()
	group.Wait()
	if err != nil || result.Status != 0 {
		t.Errorf("the attacker ended with %v, %v", result.Status, err)
	}
	return output.String()
}

func (b behind) policy(t *testing.T, programs string) *policy.Policy {
	t.Helper()
	base, err := policy.Load(nil, "default")
	if err != nil {
		t.Fatal(err)
	}
	own := &policy.Policy{}
	at := policy.Origin{File: "test"}
	own.Files.Exec = []policy.Path{{Text: programs, At: at}}
	if b.folder != "/" {
		own.Files.ReadWrite = []policy.Path{{Text: ".", At: at}}
	} else {
		base.Files.ReadWrite = nil
	}
	if b.unix != nil {
		own.Network.Unix = policy.Given("test", []policy.Path{})
	}
	for _, text := range b.unix {
		path, err := policy.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		path.At = at
		own.Network.Unix.Value = append(own.Network.Unix.Value, path)
	}
	return policy.Merge(base, own)
}
