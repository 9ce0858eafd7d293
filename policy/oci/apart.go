package oci

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/region"
	"github.com/callgate/callgate/policy"
)

// disputed reports whether the order of a call's units matters in a way that a
// profile does not have: see the rules in the package's documentation.
func (e *exporter) disputed(units []*unit) bool {
	for j, after := range units {
		for _, before := range units[:j] {
			switch {
			case before.then == after.then, excludes(before, after), excludes(after, before):
			case before.then != e.otherwise && (before.isWhole() || after.then == e.otherwise):
			case before.overlaps(after):
				return true
			}
		}
	}
	return false
}

// excludes reports whether u needs a capability that v must not have.
func excludes(u, v *unit) bool {
	return excluding(&Syscall{Includes: u.includes}, &Syscall{Excludes: v.excludes})
}

// overlaps reports whether both units hold for some registers. What is too
// large to tell overlaps.
func (u *unit) overlaps(v *unit) bool {
	first, err1 := u.set()
	second, err2 := v.set()
	if err1 != nil || err2 != nil {
		return true
	}
	both, err := first.And(second)
	return err != nil || len(both) > 0
}

// situation is one that the units of a call tell from others: a container's
// capabilities and its host.
type situation struct {
	with, without  []string
	host           string // "" where no unit asks
	kernel, before string // at least kernel and older than before; "" is any
}

// maxSituations bounds how many a call may have.
const maxSituations = 64

// takeApart writes a call's entries so that no two of them hold at once, for
// each situation that its units tell from others.
func (e *exporter) takeApart(name string) {
	units := e.calls[name]
	at := policy.Origin{}
	if units[0].rule >= 0 {
		at = e.rules[units[0].rule].At
	}
	all := situations(units)
	if len(all) > maxSituations {
		e.add(at, "give its rules fewer conditions under if and unless", "%s: the rules tell too many containers apart", name)
		return
	}
	for _, s := range all {
		if err := e.inSituation(name, units, s); err != nil {
			e.add(at, "give its rules fewer or simpler conditions", "%s: %v", name, err)
			return
		}
	}
}

func (e *exporter) inSituation(name string, units []*unit, s situation) error {
	includes := &Filter{Caps: s.with, MinKernel: s.kernel}
	if s.host != "" {
		includes.Arches = []string{s.host}
	}
	entry := Syscall{Names: []string{name}, Includes: orNil(includes), Excludes: orNil(&Filter{Caps: s.without, MinKernel: s.before})}
	parts := make(map[filter.Action]region.Set)
	var actions []filter.Action
	left := region.All()
	for _, u := range units {
		if !u.applies(s) {
			continue
		}
		set, err := u.set()
		if err != nil {
			return err
		}
		part, err := left.And(set)
		if err != nil {
			return err
		}
		if left, err = left.Minus(set); err != nil {
			return err
		}
		if u.then == e.otherwise || len(part) == 0 {
			continue
		}
		if parts[u.then] == nil {
			actions = append(actions, u.then)
		}
		parts[u.then] = append(parts[u.then], part...)
	}
	for _, then := range actions {
		for _, args := range lists(parts[then]) {
			entry.Args = args
			e.entry(entry, then, policy.Origin{})
		}
	}
	return nil
}

func orNil(f *Filter) *Filter {
	if f.isEmpty() {
		return nil
	}
	return f
}

// situations returns all that the units tell apart.
func situations(units []*unit) []situation {
	caps, kernels, byHost := make(map[string]bool), []string{""}, false
	for _, u := range units {
		for _, f := range []*Filter{u.includes, u.excludes} {
			if f.isEmpty() {
				continue
			}
			for _, c := range f.Caps {
				caps[c] = true
			}
			byHost = byHost || len(f.Arches) > 0
			if f.MinKernel != "" && !slices.Contains(kernels, f.MinKernel) {
				kernels = append(kernels, f.MinKernel)
			}
		}
	}
	slices.SortFunc(kernels, func(a, b string) int {
		if a == b {
			return 0
		}
		if newerThan(a, b) {
			return 1
		}
		return -1
	})
	hosts := []string{""}
	if byHost {
		hosts = nil
		for _, m := range machines {
			hosts = append(hosts, m.String())
		}
	}
	var out []situation
	for _, host := range hosts {
		for k, kernel := range kernels {
			s := situation{host: host, kernel: kernel}
			if k+1 < len(kernels) {
				s.before = kernels[k+1]
			}
			out = append(out, s)
		}
	}
	for _, c := range sortedKeys(caps) {
		if len(out) > maxSituations {
			break
		}
		for _, s := range slices.Clone(out) {
			granted := s
			granted.with = append(slices.Clone(s.with), c)
			out = append(out, granted)
		}
		for i := range len(out) / 2 {
			out[i].without = append(slices.Clone(out[i].without), c)
		}
	}
	return out
}

// newerThan compares kernels; "" is older than all.
func newerThan(a, b string) bool {
	v, _ := abi.ParseVersion(a)
	w, _ := abi.ParseVersion(b)
	return w.Less(v)
}

// applies reports whether a unit is there in a situation.
func (u *unit) applies(s situation) bool {
	if f := u.includes; f != nil {
		if slices.ContainsFunc(f.Caps, func(c string) bool { return !slices.Contains(s.with, c) }) ||
			len(f.Arches) > 0 && !slices.Contains(f.Arches, s.host) ||
			f.MinKernel != "" && newerThan(f.MinKernel, s.kernel) {
			return false
		}
	}
	if f := u.excludes; f != nil {
		if slices.ContainsFunc(f.Caps, func(c string) bool { return slices.Contains(s.with, c) }) ||
			slices.Contains(f.Arches, s.host) ||
			f.MinKernel != "" && !newerThan(f.MinKernel, s.kernel) {
			return false
		}
	}
	return true
}
