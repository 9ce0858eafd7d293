package oci

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// forms are the rules as they stand on each architecture.
type forms struct {
	conds map[form][]filter.Cond
	has   map[form]bool            // whether the numbering has the call, whatever the rule; rule is zero
	rest  map[string]filter.Action // by call, as in policy.CallClauses
}

// form names what a rule becomes for a call of an architecture.
type form struct {
	rule int
	call string
	arch abi.Arch
}

func (e *exporter) forms() *forms {
	f := &forms{make(map[form][]filter.Cond), make(map[form]bool), make(map[string]filter.Action)}
	for _, host := range machines {
		for _, arch := range e.numberings(host) {
			clauses, err := e.policy.Clauses(arch)
			if err != nil {
				e.add(policy.Origin{}, "", "%v", err)
			}
			for _, c := range clauses {
				f.has[form{0, c.Call, arch}] = true
				if _, known := f.rest[c.Call]; !known {
					f.rest[c.Call] = c.Rest
				}
				for _, clause := range c.Clauses {
					f.conds[form{clause.Rule, c.Call, arch}] = clause.When
				}
			}
		}
	}
	return f
}

// units returns what a rule says of a call: one unit where it says the same on
// every machine.
func (e *exporter) units(rule int, name string, f *forms) []*unit {
	r := &e.rules[rule]
	base := unit{rule: rule, then: r.Then.Action, includes: e.filter(&r.If), excludes: e.filter(&r.Unless)}
	if args, ok := written(r.When); ok && len(r.If.Architectures)+len(r.Unless.Architectures) == 0 && e.isEverywhere(rule, name, f) {
		base.lists = [][]Arg{args}
		return []*unit{&base}
	}
	var out []*unit
	var hosts []abi.Arch // those with the call
	for _, host := range machines {
		lists, holds, known := e.onHost(rule, name, host, f)
		if !known {
			continue
		}
		hosts = append(hosts, host)
		if !holds {
			continue
		}
		at := slices.IndexFunc(out, func(u *unit) bool { return sameLists(u.lists, lists) })
		if at < 0 {
			u := base
			u.lists = lists
			out = append(out, &u)
			at = len(out) - 1
		}
		out[at].names = append(out[at].names, host.String())
	}
	return slices.DeleteFunc(out, func(u *unit) bool {
		onHosts := u.names
		u.names = nil
		if len(onHosts) == len(hosts) {
			return false
		}
		var possible bool
		u.includes, possible = within(u.includes, onHosts)
		return !possible
	})
}

// isEverywhere reports whether the rule decides the call on every numbering
// that has it: a group does not on those where the call must be named.
func (e *exporter) isEverywhere(rule int, name string, f *forms) bool {
	for _, host := range machines {
		for _, arch := range e.numberings(host) {
			if _, decides := f.conds[form{rule, name, arch}]; f.has[form{0, name, arch}] && !decides {
				return false
			}
		}
	}
	return true
}

// onHost returns a rule's conditions on a machine, whether the rule holds there
// at all, and whether the machine has the call.
func (e *exporter) onHost(rule int, name string, host abi.Arch, f *forms) (lists [][]Arg, holds, known bool) {
	r := &e.rules[rule]
	var first []filter.Cond
	for _, arch := range e.numberings(host) {
		if !f.has[form{0, name, arch}] {
			continue
		}
		conds, decides := f.conds[form{rule, name, arch}]
		decides = decides && concerns(r, arch)
		switch {
		case !known:
			first, holds, known = conds, decides, true
		case holds != decides, holds && !sameConds(first, conds):
			e.add(r.At, "name the same architectures for all, or split the policy",
				"%s: the rule differs between %s and %s, which are one machine to a profile", name, host, arch)
		}
	}
	lists, err := argLists(first)
	if err != nil {
		e.add(r.At, "simplify the conditions", "%s: %v", name, err)
	}
	return lists, holds, known
}

// concerns reports whether a rule is about a numbering.
func concerns(r *policy.Rule, arch abi.Arch) bool {
	names := func(list []policy.Name) bool {
		return slices.ContainsFunc(list, func(n policy.Name) bool { return bare(n.Text) == arch.String() })
	}
	return (len(r.If.Architectures) == 0 || names(r.If.Architectures)) && !names(r.Unless.Architectures)
}

// sameConds compares conditions of a machine's numberings. An unsigned one of 32
// bits has no upper half that could differ.
func sameConds(a, b []filter.Cond) bool {
	return slices.EqualFunc(a, b, func(x, y filter.Cond) bool {
		return x.Arg == y.Arg && x.Op == y.Op && x.Mask == y.Mask && x.Signed == y.Signed && (!x.Signed || x.Bits == y.Bits) && slices.Equal(x.Values, y.Values)
	})
}

// filter returns a requirement in a profile's words, or nil for none.
func (e *exporter) filter(q *policy.Requirement) *Filter {
	f := &Filter{MinKernel: q.Kernel.String()}
	for _, c := range q.Capabilities {
		f.Caps = append(f.Caps, bare(c.Text))
	}
	for _, m := range q.Machines {
		f.Arches = append(f.Arches, hostName(m.Text))
	}
	if f.isEmpty() {
		return nil
	}
	return f
}

// within returns includes that hold only on some machines, or false if they
// never hold.
func within(f *Filter, hosts []string) (*Filter, bool) {
	if f == nil || len(f.Arches) == 0 {
		out := Filter{Arches: hosts}
		if f != nil {
			out.Caps, out.MinKernel = f.Caps, f.MinKernel
		}
		return &out, true
	}
	out := *f
	out.Arches = slices.DeleteFunc(slices.Clone(out.Arches), func(a string) bool {
		_, known := abi.ParseArch(a)
		return known && !slices.Contains(hosts, a)
	})
	return &out, len(out.Arches) > 0
}
