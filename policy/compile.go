package policy

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Compiled is a policy's part for the kernel's seccomp, and where each of its
// rules was written.
type Compiled struct {
	Filter *filter.Filter
	// Origins has an entry for each rule of each of the filter's tables:
	// Origins[i][j] belongs to Filter.Tables[i].Rules[j]. It is the zero Origin
	// for calls that no rule of the policy decides.
	Origins [][]Origin
}

// Filter resolves the rules for a target. The error is of type [Problems].
func (p *Policy) Filter(t Target) (*Compiled, error) {
	t = t.complete(p)
	c := &Compiled{Filter: &filter.Filter{Foreign: actionOr(p.Syscalls.Foreign, filter.ActionKillProcess)}}
	problems := append(p.whoDecides(), p.unixDecides()...)
	for _, arch := range p.numberings(t.Arch) {
		b := newTable(p, t, arch)
		b.build()
		c.Filter.Tables = append(c.Filter.Tables, b.table)
		c.Origins = append(c.Origins, b.origins)
		problems = append(problems, b.problems...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// numberings returns the architectures that get a table: the target's, and
// those the policy adds that its kernel runs too.
func (p *Policy) numberings(native abi.Arch) []abi.Arch {
	out := []abi.Arch{native}
	for _, name := range p.Syscalls.Architectures {
		if a, ok := abi.ParseArch(name.Text); ok && slices.Contains(native.Companions(), a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func actionOr(s Setting[Action], otherwise filter.Action) filter.Action {
	if s.IsSet() && s.Value.Set {
		return s.Value.Action
	}
	return otherwise
}

// noSys is for calls that the program must believe the kernel lacks.
func noSys() filter.Action { return errnoAction(abi.ENOSYS) }

// tableBuilder makes one architecture's table.
type tableBuilder struct {
	policy    *Policy
	target    Target
	arch      abi.Arch
	otherwise filter.Action
	table     filter.Table
	origins   []Origin
	decided   numberSet // calls whose later rules cannot fit
	blind     []string  // see blindCalls
	problems  Problems
}

// tableSize is room for the rules of most tables: a call has about one, and an
// architecture fewer than this many calls.
const tableSize = 480

func newTable(p *Policy, t Target, arch abi.Arch) *tableBuilder {
	return &tableBuilder{
		policy: p, target: t, arch: arch,
		otherwise: actionOr(p.Syscalls.Otherwise, errnoAction(abi.EPERM)),
		table:     filter.Table{Arch: arch, Default: noSys(), Rules: make([]filter.Rule, 0, tableSize)},
		origins:   make([]Origin, 0, tableSize),
		blind:     p.blindCalls(),
	}
}

func (b *tableBuilder) build() {
	b.rules(b.policy.Files.refusedCalls(b.refusal()))
	b.rules(b.policy.Network.refusedPast())
	b.rules(b.policy.refusedSockets(b.refusal()))
	b.rules(b.policy.refusedMemory())
	b.rules(b.policy.Syscalls.Rules)
	b.rules(b.policy.allowedSockets())
	for number, call := range b.arch.Syscalls() {
		if !b.mustBeNamed(call) && hasHandler(call) && b.otherwise != b.table.Default {
			b.add(number, nil, b.otherwise, Origin{})
		}
	}
}

// refusal is what becomes of a call that the policy rules out, also where calls
// are allowed otherwise.
func (b *tableBuilder) refusal() filter.Action {
	if Do(b.otherwise).Lets() {
		return errnoAction(abi.EPERM)
	}
	return b.otherwise
}

func (b *tableBuilder) rules(rules []Rule) {
	for i := range rules {
		if r := &rules[i]; b.applies(r) {
			b.rule(r)
		}
	}
}

func (b *tableBuilder) rule(r *Rule) {
	for _, name := range r.Calls {
		if g, ok := group(name.groupName()); ok {
			for _, member := range g.Calls {
				b.call(r, member.Text, false)
			}
			continue
		}
		b.call(r, name.call(), true)
	}
}

// call adds a rule for one call, unless the architecture lacks it.
func (b *tableBuilder) call(r *Rule, name string, named bool) {
	call, number, ok := b.arch.Find(name)
	if !ok || *b.decided.at(number) || !named && b.mustBeNamed(call) {
		return
	}
	var when []filter.Cond
	for i := range r.When {
		cond, err := r.When[i].compile(call, b.arch)
		if err != nil {
			b.problems = append(b.problems, &Problem{At: r.When[i].At, What: err.Error()})
			return
		}
		when = append(when, cond)
	}
	b.add(number, when, r.Then.Action, r.At)
}

func (b *tableBuilder) add(number abi.Sysno, when []filter.Cond, then filter.Action, at Origin) {
	decided := b.decided.at(number)
	if *decided {
		return
	}
	*decided = len(when) == 0
	b.table.Rules = append(b.table.Rules, filter.Rule{Nr: number, When: when, Then: then})
	b.origins = append(b.origins, at)
}

// mustBeNamed reports whether only a rule that names the call itself decides
// it: a program that finds such a call missing falls back to an older one.
func (b *tableBuilder) mustBeNamed(call *abi.Syscall) bool {
	return !b.policy.Baseline.IsZero() && !b.policy.Baseline.AtLeast(sinceOf(call)) || slices.Contains(b.blind, call.Name)
}

// applies reports whether a rule's if and unless let it into this table.
func (b *tableBuilder) applies(r *Rule) bool {
	for _, c := range r.If.Capabilities {
		if !b.policy.grants(c.call()) {
			return false
		}
	}
	if len(r.If.Machines) > 0 && !b.isOn(r.If.Machines) ||
		len(r.If.Architectures) > 0 && !b.isOneOf(r.If.Architectures) || !b.target.Kernel.AtLeast(r.If.Kernel) {
		return false
	}
	return !slices.ContainsFunc(r.Unless.Capabilities, func(c Name) bool { return b.policy.grants(c.call()) }) &&
		!b.isOneOf(r.Unless.Architectures) && !b.isOn(r.Unless.Machines) &&
		(r.Unless.Kernel.IsZero() || !b.target.Kernel.AtLeast(r.Unless.Kernel))
}

func (b *tableBuilder) isOneOf(names []Name) bool {
	return slices.ContainsFunc(names, func(n Name) bool { return n.call() == b.arch.String() })
}

// isOn reports whether the machine's own architecture is one of the named.
func (b *tableBuilder) isOn(machines []Name) bool {
	return slices.ContainsFunc(machines, func(n Name) bool { return n.call() == b.target.Arch.String() })
}

func (p *Policy) grants(capability string) bool {
	return slices.ContainsFunc(p.Capabilities, func(n Name) bool { return n.Text == capability })
}

// blindCalls returns the calls whose arguments lie behind a pointer while the
// policy has conditions on the same arguments of their twins: were they
// allowed with their group, they would be a way round the conditions.
func (p *Policy) blindCalls() []string {
	twins := [...]struct{ blind, seen string }{
		{"clone3", "clone"}, {"openat2", "openat"}, {"openat2", "open"}, {"socketcall", "socket"},
	}
	var out []string
	for _, t := range twins {
		if p.hasCondition(t.seen) {
			out = append(out, t.blind)
		}
	}
	if p.Network.Families.IsSet() || p.Network.limitsPorts() {
		out = append(out, "socketcall")
	}
	return out
}

func (p *Policy) hasCondition(call string) bool {
	return slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool { return len(r.When) > 0 && r.covers(call) })
}

// covers reports whether a rule names the call, or a group it is in.
func (r *Rule) covers(call string) bool {
	return slices.ContainsFunc(r.Calls, func(n Name) bool {
		if g, ok := group(n.groupName()); ok {
			return slices.ContainsFunc(g.Calls, func(m Name) bool { return m.Text == call })
		}
		return n.call() == call
	})
}

// names reports whether a rule names the call itself.
func (r *Rule) names(call string) bool {
	return slices.ContainsFunc(r.Calls, func(n Name) bool { return n.call() == call })
}

// groupName returns the name without its '@', or "" if it is a call's.
func (n Name) groupName() string {
	if len(n.Text) > 0 && n.Text[0] == '@' {
		return n.Text[1:]
	}
	return ""
}
