package sockets

import (
	"testing"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/internal/guard/guardtest"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
)

func TestMain(m *testing.M) { guardtest.Main(m, attackers) }

// behind is a run of an attacker behind a list of sockets.
type behind struct {
	folder string                      // which it sees and writes
	unix   []string                    // nil is no list
	server func(*Handler) gate.Handler // what serves in the handler's stead, or nil
}

// run returns what the attacker printed.
func (b behind) run(t *testing.T, attacker string, env ...string) string {
	t.Helper()
	r := guardtest.Run{
		Folder: b.folder, Attacker: attacker, Env: env, Mounts: true, Limit: Limit,
		Policy: b.policy(t, guardtest.Programs(t)),
	}
	if b.unix != nil {
		r.Guard = b.guard
	}
	return r.Output(t)
}

func (b behind) guard(s guardtest.Scene) (filter.Program, gate.Handler, func(), error) {
	handler := &Handler{Network: &s.Policy.Network, Finder: files.Finder{OwnProc: true}}
	var err error
	if handler.Sockets, err = s.Policy.Sockets(s.Target, jail.RealFolder); err != nil {
		return nil, nil, nil, err
	}
	mux := &gate.Mux{}
	program, err := handler.Route(s.Program, s.Target.Arch, mux)
	if b.server != nil {
		return program, b.server(handler), handler.Close, err
	}
	return program, mux, handler.Close, err
}

func (b behind) policy(t *testing.T, programs string) *policy.Policy {
	t.Helper()
	base, own := guardtest.Default(t), &policy.Policy{}
	own.Files.Exec = guardtest.Paths(t, programs)
	if b.folder != "/" {
		own.Files.ReadWrite = guardtest.Paths(t, ".")
	} else {
		base.Files.ReadWrite = nil
	}
	if b.unix != nil {
		own.Network.Unix = policy.Given("test", guardtest.Paths(t, b.unix...))
	}
	return policy.Merge(base, own)
}
