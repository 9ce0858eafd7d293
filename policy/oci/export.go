package oci

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// machines are the architectures that a policy is exported for.
var machines = [...]abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64}

// Export turns what a policy says of calls into a profile of the same
// decisions: Export of an imported profile is that profile. As a profile has no
// order of rules, rules whose order matters are taken apart.
//
// The problems are what a profile has no words for (files, limits, …), which
// whoever uses it must see to otherwise. The error, of type [policy.Problems],
// is for what the profile would decide in another way.
func Export(p *policy.Policy) (*Profile, policy.Problems, error) {
	e := &exporter{policy: p, rules: p.AllRules(), out: new(Profile)}
	e.otherwise = filter.Errno(abi.EPERM)
	if p.Syscalls.Otherwise.IsSet() {
		e.otherwise = p.Syscalls.Otherwise.Value.Action
	}
	e.top()
	e.resolve()
	if err := e.problems.Err(); err != nil {
		return nil, nil, err
	}
	e.write()
	if err := e.problems.Err(); err != nil {
		return nil, nil, err
	}
	return e.out, lost(p), nil
}

type exporter struct {
	policy    *policy.Policy
	rules     []policy.Rule
	otherwise filter.Action
	out       *Profile
	calls     map[string][]*unit // by name, in the order in which rules are tried
	names     [][]string         // of each rule
	rest      []string           // calls that no rule decides wholly and that do not get otherwise
	problems  policy.Problems
}

func (e *exporter) add(at policy.Origin, cure, format string, args ...any) {
	e.problems = append(e.problems, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

// top writes what is not about single calls.
func (e *exporter) top() {
	o, out := &e.policy.OCI, e.out
	out.DefaultAction, out.DefaultErrnoRet = e.action(e.otherwise, e.policy.Syscalls.Otherwise.At)
	if o.ErrnoNames && out.DefaultErrnoRet != nil {
		out.DefaultErrno = abi.Errno(*out.DefaultErrnoRet).Name()
	}
	out.Flags, out.ListenerPath, out.ListenerMetadata = texts(o.Flags), o.ListenerPath, o.ListenerMetadata
	out.Architectures = texts(o.Architectures)
	for _, m := range o.ArchMap {
		out.ArchMap = append(out.ArchMap, ArchMap{m.Architecture.Text, texts(m.With)})
	}
	if len(out.Architectures)+len(out.ArchMap) > 0 {
		return
	}
	for _, host := range machines {
		m := ArchMap{Architecture: host.OCI()}
		for _, a := range e.numberings(host)[1:] {
			m.SubArchitectures = append(m.SubArchitectures, a.OCI())
		}
		out.ArchMap = append(out.ArchMap, m)
	}
}

func texts(names []policy.Name) []string {
	var out []string
	for _, n := range names {
		out = append(out, n.Text)
	}
	return out
}

// numberings returns a machine's own architecture, and those that the policy
// adds to it.
func (e *exporter) numberings(host abi.Arch) []abi.Arch {
	out := []abi.Arch{host}
	for _, a := range host.Companions() {
		if slices.ContainsFunc(e.policy.Syscalls.Architectures, func(n policy.Name) bool { return n.Text == a.String() }) {
			out = append(out, a)
		}
	}
	return out
}

func (e *exporter) action(a filter.Action, at policy.Origin) (string, *uint64) {
	name, errno, err := actionName(a)
	if err != nil {
		e.add(at, "", "%v", err)
	}
	return name, errno
}

// write writes the entries: those of each rule for the calls about which the
// order of rules says nothing, then those of the other calls.
func (e *exporter) write() {
	apart := make(map[string]bool)
	for name, units := range e.calls {
		apart[name] = e.disputed(units)
	}
	for i, names := range e.names {
		e.rule(&e.rules[i], i, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return apart[n] }))
	}
	var rest []string
	for _, name := range e.rest {
		if !apart[name] {
			rest = append(rest, name)
		}
	}
	if len(rest) > 0 {
		e.entry(Syscall{Names: rest, Comment: "newer than the policy's baseline, or with arguments behind a pointer: libraries fall back"},
			filter.Errno(abi.ENOSYS), policy.Origin{})
	}
	for _, names := range append(e.names, e.rest) {
		for _, name := range names {
			if apart[name] {
				e.takeApart(name)
				apart[name] = false
			}
		}
	}
}

// rule writes a rule's entries, one for all calls that need the same.
func (e *exporter) rule(r *policy.Rule, index int, names []string) {
	if e.isImportersOwn(r) {
		return
	}
	var units []*unit
	for _, name := range names {
		for _, u := range e.calls[name] {
			if u.rule != index {
				continue
			}
			at := slices.IndexFunc(units, u.like)
			if at < 0 {
				units = append(units, &unit{lists: u.lists, then: u.then, includes: u.includes, excludes: u.excludes})
				at = len(units) - 1
			}
			units[at].names = append(units[at].names, name)
		}
	}
	for _, u := range units {
		for _, args := range u.lists {
			e.entry(Syscall{Names: u.names, Args: args, Comment: r.Comment, Includes: u.includes, Excludes: u.excludes}, u.then, r.At)
		}
	}
}

// isImportersOwn reports whether a rule is one of those that importing adds for
// calls which a policy would refuse and a profile decides by its default.
func (e *exporter) isImportersOwn(r *policy.Rule) bool {
	return r.Then.Action == e.otherwise && r.Comment == byDefault
}

func (e *exporter) entry(s Syscall, then filter.Action, at policy.Origin) {
	s.Action, s.ErrnoRet = e.action(then, at)
	if e.policy.OCI.ErrnoNames && s.ErrnoRet != nil {
		s.Errno = abi.Errno(*s.ErrnoRet).Name()
	}
	e.out.Syscalls = append(e.out.Syscalls, s)
}

// sortedKeys returns a map's keys in order.
func sortedKeys[K cmp.Ordered](m map[K]bool) []K {
	var keys []K
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
