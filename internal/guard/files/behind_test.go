package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/guardtest"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
)

func TestMain(m *testing.M) { guardtest.Main(m, attackers) }

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
	r := guardtest.Run{
		Folder: b.folder, Attacker: attacker, Env: env, Mounts: b.mounts, Limit: Limit,
		Policy: b.policy(t, guardtest.Programs(t)),
	}
	if !b.bare {
		r.Guard = b.guard
	}
	return r.Output(t)
}

// guard is the handler, with a Lifter before it where somebody lifts.
func (b behind) guard(s guardtest.Scene) (filter.Program, gate.Handler, func(), error) {
	patterns, err := s.Policy.Patterns(s.Target, jail.RealFolder)
	if err != nil {
		return nil, nil, nil, err
	}
	none := patterns == nil
	if none {
		patterns = &policy.Patterns{}
	}
	var places []Place
	for _, place := range s.Spec.Places(s.Present(jail.Mounts)) {
		places = append(places, Place{place.Path, policy.Access(place.Access)})
	}
	handler := New(patterns, places, s.Present(jail.Mounts), s.Present(jail.Pids))
	program, mux := s.Program, &gate.Mux{}
	var lifter *Lifter
	if b.lift != nil {
		lifter = NewLifter(handler, without)
	}
	if lifter == nil || !none {
		if program, err = handler.Route(program, s.Target.Arch, mux); err != nil {
			return nil, nil, nil, err
		}
	}
	switch {
	case lifter != nil:
		program, err = lifter.Route(program, s.Target.Arch, mux)
		return program, lifting(mux, b.lift), handler.Close, err
	case b.server != nil:
		return program, b.server(handler), handler.Close, nil
	}
	return program, mux, handler.Close, nil
}

func (b behind) policy(t testing.TB, programs string) *policy.Policy {
	t.Helper()
	return policy.Merge(guardtest.Default(t), &policy.Policy{Files: policy.Files{
		ReadWrite: guardtest.Paths(t, "."), Exec: guardtest.Paths(t, programs),
		Hidden: guardtest.Paths(t, b.hidden...), ReadOnly: guardtest.Paths(t, b.ro...),
	}})
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
