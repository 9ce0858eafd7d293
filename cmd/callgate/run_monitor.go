package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/notify"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// monitor has what is refused pass a gate, all of it where flags ask to see it,
// and else what the summary tells.
type monitor struct {
	policy    *policy.Policy
	target    policy.Target
	handler   gate.Handler
	names     func(netip.Addr) (string, bool) // what addresses stand for; nil without a relay
	unreached *unreached                      // nil without a relay
	summary   *summary                        // nil where more is asked for
	explainer *explainer                      // nil without --explain
	auditor   *auditor                        // nil without --audit
	files     *fileGuard                      // nil without patterns, where nobody is asked
	sockets   *socketGuard                    // nil without a list of UNIX sockets
	asking    *asking                         // nil without --ask
	serving   sync.WaitGroup
	err       error // why the gate stopped early
}

// monitor returns what watches the run, or nil where no flag asks for it.
func (o *runOptions) monitor(p *policy.Policy, target policy.Target) (*monitor, error) {
	m := &monitor{policy: p, target: target}
	var err error
	if m.auditor, err = newAuditor(o.audit, o.auditFailure); err != nil {
		return nil, err
	}
	if m.auditor != nil {
		m.auditor.planned = o.plan
	}
	if m.explainer, err = o.newExplainer(); err != nil {
		return nil, err
	}
	m.sockets = newSocketGuard(p)
	if m.asking, err = o.newAsking(); err != nil {
		return nil, err
	}
	m.files = newFileGuard(p, m.asking != nil && m.asking.Asker != nil)
	if m.explainer == nil && m.auditor == nil && !o.quiet {
		m.summary = &summary{target: target}
	}
	if m.explainer == nil && m.auditor == nil && m.summary == nil && m.files == nil && m.sockets == nil && m.asking == nil {
		return nil, nil
	}
	return m, m.readsMemory(o)
}

// readsMemory says what is missing where the program's memory, in which paths and
// addresses stand, can't be read: nothing can be decided by them then.
func (m *monitor) readsMemory(o *runOptions) error {
	decides := m.files != nil || m.sockets != nil
	if !decides && m.explainer == nil && m.auditor == nil || o.plan {
		return nil
	}
	err := sys.HasTaskMemory()
	switch {
	case err == nil:
	case decides:
		return fmt.Errorf("read what a program names from its memory: %w: a filter around callgate refuses that: run this callgate outside of it, "+
			"allow process_vm_readv and process_vm_writev there, or leave --ask, patterns of files and lists of UNIX sockets out", err)
	case !o.quiet:
		fmt.Fprintf(os.Stderr, "callgate: files and addresses that the program names can't be told: read them from its memory: %v: "+
			"a filter around callgate refuses that: run this callgate outside of it, or allow process_vm_readv there\n", err)
	}
	return nil
}

// attach has the Spec's filter leave its refusals to the gate, and show it the
// paths and ports that the walls in the kernel will judge.
func (m *monitor) attach(spec *jail.Spec) {
	if m.summary != nil {
		m.summary.program = shortName(spec.Args[0])
	}
	fill := spec.Late
	spec.Late = func(s *jail.Spec) error {
		if err := fill(s); err != nil {
			return err
		}
		compile := s.Filter
		s.Filter = func(present func(jail.Wall) bool) (filter.Program, error) {
			program, err := compile(present)
			if err != nil || s.Listener == nil {
				return program, err
			}
			return m.route(s, program, present)
		}
		if err := m.asking.settle(s.Mounts); err != nil {
			return err
		}
		if err := m.explainer.open(s.Mounts); err != nil {
			return err
		}
		return m.auditor.open(s.Mounts)
	}
	spec.Listener = m.serve
	spec.Unheard = m.summary != nil && m.files == nil && m.sockets == nil && m.asking == nil
}

// route returns the filter's program with what is to pass the gate.
func (m *monitor) route(spec *jail.Spec, program filter.Program, present func(jail.Wall) bool) (filter.Program, error) {
	mux := &gate.Mux{}
	m.handler = m.asking.about(mux)
	judging := sync.OnceValues(func() (*policy.Judge, error) { return m.judge(present) })
	if m.explainer == nil && m.auditor == nil {
		switch {
		case m.asking != nil:
			program, mux.Otherwise = guard.Askable(program, m.target.Arch, judging)
		case m.summary != nil:
			program, mux.Otherwise = guard.Count(program)
		}
		program, err := m.guards(program, spec, present, mux, judging, nil)
		if err != nil || m.unreached == nil || m.summary == nil {
			return program, err
		}
		return guard.Unreached(program, m.target.Arch, judging, mux, m.unreached.connect)
	}
	judge, err := judging()
	if err != nil {
		return nil, err
	}
	stopping, refuse := guard.Refuse(program, m.target.Arch, judge)
	mux.Otherwise = refuse
	if stopping, err = m.guards(stopping, spec, present, mux, judging, guard.Foresee(judge)); err != nil {
		return nil, err
	}
	return guard.Foretell(stopping, m.target.Arch, judge, mux)
}

// guards adds the calls that patterns and lists decide about.
func (m *monitor) guards(program filter.Program, spec *jail.Spec, present func(jail.Wall) bool, mux *gate.Mux, judging func() (*policy.Judge, error), foresee func(*gate.Trap) *gate.Refusal) (filter.Program, error) {
	program, err := m.files.route(program, spec, m.policy, m.target, present, mux, judging, foresee)
	if err != nil {
		return nil, err
	}
	if foresee == nil && m.unreached != nil { // which has not seen what has no way
		foresee = func(t *gate.Trap) *gate.Refusal {
			judge, err := judging()
			if err != nil {
				return nil
			}
			return guard.Foresee(judge)(t)
		}
	}
	return m.sockets.route(program, spec, m.policy, m.target, present, mux, foresee)
}

// judge says why the walls that are present refuse something.
func (m *monitor) judge(present func(jail.Wall) bool) (*policy.Judge, error) {
	judge, err := strict(m.policy, present).Judge(m.target)
	if err == nil {
		judge.Names = m.names
	}
	return judge, err
}

// serve answers until the last task is gone.
func (m *monitor) serve(file *os.File) {
	listener, err := notify.Listen(file)
	if err != nil {
		m.err = err
		file.Close()
		return
	}
	g := gate.Gate{Source: listener, Handler: m.handler, Receivers: 1}
	m.files.serve(&g)
	m.sockets.serve(&g)
	m.asking.serve(&g)
	if m.summary != nil {
		g.Taps = append(g.Taps, &m.summary.refusals)
	}
	if m.explainer != nil {
		g.Taps = append(g.Taps, &m.explainer.refusals)
	}
	if m.auditor != nil {
		g.Recorder = m.auditor
	}
	m.serving.Go(func() {
		if m.err = g.Serve(context.Background()); m.err != nil {
			// The target holds its own listener until its first execve: refuse that,
			// and all else, rather than leave it to wait for ever.
			(&gate.Gate{Source: listener}).Serve(context.Background())
		}
		listener.Close()
		m.files.close()
		m.sockets.close()
	})
}

// say waits for the gate's end and prints what it saw.
func (m *monitor) say(w io.Writer) {
	m.serving.Wait()
	if m.err != nil {
		fmt.Fprintf(w, "callgate: the gate stopped early: %v: what was refused since is not told\n", m.err)
	}
	m.auditor.say(w)
	m.explainer.say(w, m.err)
	m.summary.say(w)
}
