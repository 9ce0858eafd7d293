package main

import (
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/internal/guard/sockets"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
)

// socketGuard has callgate connect for the program, where the policy lists UNIX
// sockets.
type socketGuard struct {
	spec    *jail.Spec
	handler *sockets.Handler
}

// newSocketGuard returns nil where there is no list.
func newSocketGuard(p *policy.Policy) *socketGuard {
	if !p.Network.Unix.IsSet() {
		return nil
	}
	return &socketGuard{}
}

// serve has the gate's receivers be what the target is.
func (g *socketGuard) serve(to *gate.Gate) {
	if g != nil {
		to.Prepare = func() error { return become(g.spec) }
		to.Limit += sockets.Limit
	}
}

// route adds the calls to the program and to the routes.
func (g *socketGuard) route(program filter.Program, spec *jail.Spec, p *policy.Policy, target policy.Target, present func(jail.Wall) bool, mux *gate.Mux, foresee func(*gate.Trap) *gate.Refusal) (filter.Program, error) {
	if g == nil {
		return program, nil
	}
	g.spec = spec
	listed, err := p.Sockets(target, jail.RealFolder)
	if err != nil {
		return nil, err
	}
	finder := files.Finder{OwnProc: present(jail.Mounts) && present(jail.Pids)}
	g.handler = &sockets.Handler{Sockets: listed, Network: &p.Network, Finder: finder, Foresee: foresee}
	return g.handler.Route(program, target.Arch, mux)
}

func (g *socketGuard) close() {
	if g != nil && g.handler != nil {
		g.handler.Close()
	}
}
