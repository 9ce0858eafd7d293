package oci

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/region"
	"github.com/callgate/callgate/policy"
)

// unit is what one rule says of one call, in a profile's words.
type unit struct {
	rule               int      // index into exporter.rules, or -1 for the call's rest
	names              []string // of an entry that is being made
	lists              [][]Arg  // conditions; the unit holds when any list does
	then               filter.Action
	includes, excludes *Filter
}

// like reports whether two units differ in their names alone.
func (u *unit) like(v *unit) bool {
	return u.then == v.then && sameLists(u.lists, v.lists) && sameFilter(u.includes, v.includes) && sameFilter(u.excludes, v.excludes)
}

func sameFilter(a, b *Filter) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Caps, b.Caps) && slices.Equal(a.Arches, b.Arches) && a.MinKernel == b.MinKernel
}

// isWhole reports whether the unit has no conditions on arguments.
func (u *unit) isWhole() bool { return len(u.lists) == 1 && len(u.lists[0]) == 0 }

// set returns the registers for which the unit holds.
func (u *unit) set() (region.Set, error) {
	var out region.Set
	for _, list := range u.lists {
		var conds []filter.Cond
		for _, a := range list {
			conds = append(conds, a.cond())
		}
		alternatives := [][]filter.Cond{conds}
		if repeats(list) {
			alternatives = nil
			for _, c := range conds {
				alternatives = append(alternatives, []filter.Cond{c})
			}
		}
		for _, alternative := range alternatives {
			set, err := region.Of(alternative)
			if err != nil {
				return nil, err
			}
			out = append(out, set...)
		}
	}
	return out, nil
}

func (a Arg) cond() filter.Cond {
	op, _ := parseOp(a.Op)
	c := filter.Cond{Arg: int(a.Index), Op: op, Values: []uint64{a.Value}, Bits: 64}
	if op == filter.MaskedEqual {
		c.Mask, c.Values = a.Value, []uint64{a.ValueTwo}
	}
	return c
}

// resolve finds the units of all calls.
func (e *exporter) resolve() {
	e.calls = make(map[string][]*unit)
	e.names = make([][]string, len(e.rules))
	forms := e.forms()
	for i := range e.rules {
		for _, name := range e.callsOf(&e.rules[i]) {
			if units := e.units(i, name, forms); len(units) > 0 {
				e.names[i] = append(e.names[i], name)
				e.calls[name] = append(e.calls[name], units...)
			}
		}
	}
	for name, rest := range forms.rest {
		known, ok := abi.Lookup(name)
		if !ok || known.Since == (abi.Version{}) || rest == e.otherwise || alwaysDecided(e.calls[name]) {
			continue
		}
		e.calls[name] = append(e.calls[name], &unit{rule: -1, lists: [][]Arg{nil}, then: rest})
		e.rest = append(e.rest, name)
	}
	slices.Sort(e.rest)
}

// alwaysDecided reports whether a unit without conditions decides the call,
// whatever the container and the host.
func alwaysDecided(units []*unit) bool {
	all := situations(units)
	return len(all) <= maxSituations && !slices.ContainsFunc(all, func(s situation) bool {
		return !slices.ContainsFunc(units, func(u *unit) bool { return u.isWhole() && u.applies(s) })
	})
}

// callsOf returns the calls that a rule names, itself or by a group.
func (e *exporter) callsOf(r *policy.Rule) []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, n := range r.Calls {
		group := slices.IndexFunc(policy.Groups(), func(g policy.Group) bool { return "@"+g.Name == n.Text })
		if group < 0 {
			add(bare(n.Text))
			continue
		}
		for _, member := range policy.Groups()[group].Calls {
			add(member.Text)
		}
	}
	return out
}
