package main

import (
	"fmt"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// patternGuard has the calls that name files pass the gate, where the policy holds
// patterns, which the kernel's walls can't decide by.
type patternGuard struct {
	spec    *jail.Spec
	handler *files.Handler
}

// newPatternGuard returns nil where there are no patterns.
func newPatternGuard(p *policy.Policy) *patternGuard {
	if !p.Files.HasPatterns() {
		return nil
	}
	return &patternGuard{}
}

// serve has the gate's receivers be what the target is.
func (g *patternGuard) serve(to *gate.Gate) {
	if g != nil {
		to.Prepare = g.prepare
		to.Limit += files.Limit
	}
}

// route adds the calls to the program and to the routes.
func (g *patternGuard) route(program filter.Program, spec *jail.Spec, p *policy.Policy, target policy.Target, present func(jail.Wall) bool, mux *gate.Mux, foresee func(*gate.Trap) *gate.Refusal) (filter.Program, error) {
	if g == nil {
		return program, nil
	}
	g.spec = spec
	patterns, err := p.Patterns(target, jail.RealFolder)
	if err != nil {
		return nil, err
	}
	var places []files.Place
	for _, place := range spec.Places(present(jail.Mounts)) {
		places = append(places, files.Place{Path: place.Path, Access: policy.Access(place.Access)})
	}
	g.handler = files.New(patterns, places, present(jail.Mounts), present(jail.Pids))
	g.handler.Foresee = foresee
	return g.handler.Route(program, target.Arch, mux)
}

// prepare makes of a receiver's thread, for good, what the target is: callgate
// opens for it nothing that it could not open itself.
func (g *patternGuard) prepare() error {
	target, err := g.spec.Identity()
	if err == nil {
		err = sys.Become(target)
	}
	if err != nil {
		return fmt.Errorf("become the program's user: %w", err)
	}
	return nil
}

func (g *patternGuard) close() {
	if g != nil && g.handler != nil {
		g.handler.Close()
	}
}
