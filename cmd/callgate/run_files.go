package main

import (
	"fmt"
	"runtime"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// fileGuard has calls that name files pass the gate: where the policy holds
// patterns, which the kernel's walls can't decide by, and where somebody is asked
// about the files that those walls withhold.
type fileGuard struct {
	asks    bool
	spec    *jail.Spec
	handler *files.Handler
}

// newFileGuard returns nil where there are no patterns and nobody is asked.
func newFileGuard(p *policy.Policy, asks bool) *fileGuard {
	asks = asks && p.LetsCallgateOpen()
	if !p.Files.HasPatterns() && !asks {
		return nil
	}
	return &fileGuard{asks: asks}
}

// serve has the gate's receivers be what the target is.
func (g *fileGuard) serve(to *gate.Gate) {
	if g != nil {
		to.Prepare = func() error { return become(g.spec) }
		to.Receivers = runtime.GOMAXPROCS(0)
		to.Limit += files.Limit
	}
}

// route adds the calls to the program and to the routes.
func (g *fileGuard) route(program filter.Program, spec *jail.Spec, p *policy.Policy, target policy.Target, present func(jail.Wall) bool, mux *gate.Mux, judging func() (*policy.Judge, error), foresee func(*gate.Trap) *gate.Refusal) (filter.Program, error) {
	if g == nil {
		return program, nil
	}
	g.spec = spec
	patterns, err := p.Patterns(target, jail.RealFolder)
	if err != nil {
		return nil, err
	}
	none := patterns == nil
	if none {
		patterns = &policy.Patterns{}
	}
	var places []files.Place
	for _, place := range spec.Places(present(jail.Mounts)) {
		places = append(places, files.Place{Path: place.Path, Access: policy.Access(place.Access)})
	}
	g.handler = files.New(patterns, places, present(jail.Mounts), present(jail.Pids))
	g.handler.Foresee = foresee
	var lifter *files.Lifter
	if g.asks && present(jail.Landlock) { // without which what is given to be read could be executed
		lifter = files.NewLifter(g.handler, guard.Withheld(judging, jail.RealFolder))
	}
	if !none {
		if program, err = g.handler.Route(program, target.Arch, mux); err != nil {
			return nil, err
		}
	}
	if lifter == nil {
		return program, nil
	}
	return lifter.Route(program, target.Arch, mux)
}

// become makes of a receiver's thread, for good, what the target is: callgate does
// nothing for it that it could not do itself.
func become(spec *jail.Spec) error {
	target, err := spec.Identity()
	if err == nil {
		err = sys.Become(target)
	}
	if err != nil {
		return fmt.Errorf("become the program's user: %w", err)
	}
	return nil
}

func (g *fileGuard) close() {
	if g != nil && g.handler != nil {
		g.handler.Close()
	}
}
