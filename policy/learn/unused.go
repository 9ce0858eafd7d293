package learn

import (
	"slices"
	"strings"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// Unused returns the places of what a document allows and nothing used: calls,
// rules, paths, ports and families. What the base allows counts as used, since
// nobody saw; what refuses or hides is kept. A group is taken out as a whole: Draft
// then adds the calls of it that were used.
func (l *Ledger) Unused(doc *policy.Policy, place Place) []policy.Origin {
	l.files.unite()
	var out []policy.Origin
	own := parseBase()
	for i := range doc.Syscalls.Rules {
		out = append(out, l.unusedRule(&doc.Syscalls.Rules[i], doc, own, place.Target)...)
	}
	out = append(out, l.unusedPaths(doc, place)...)
	unused := func(d Direction, port uint16) bool { return l.ports[d][port] == nil && len(l.ports[d]) <= maxPorts }
	for _, c := range doc.Network.Connect.Value {
		if c.IsPort() && unused(Connect, c.Port) { // a name's or an address's may have been
			out = append(out, c.At)
		}
	}
	for _, p := range doc.Network.Bind.Value {
		if unused(Bind, p.Number) {
			out = append(out, p.At)
		}
	}
	used := l.families()
	for _, f := range doc.Network.Families.Value {
		if !slices.Contains(used, strings.ToUpper(strings.TrimSuffix(f.Text, "-route"))) {
			out = append(out, f.At)
		}
	}
	return out
}

// unusedRule returns a rule's place, or those of some of its calls.
func (l *Ledger) unusedRule(r *policy.Rule, doc, own *policy.Policy, t policy.Target) (out []policy.Origin) {
	if !r.Then.Lets() {
		return nil
	}
	for _, name := range r.Calls {
		call := strings.TrimPrefix(name.Text, "?")
		if !inBase(own, call, r.When) && (strings.HasPrefix(call, "@") || !l.used(call, r, doc, t)) {
			out = append(out, name.At)
		}
	}
	if len(out) == len(r.Calls) {
		return []policy.Origin{r.At}
	}
	return out
}

// inBase reports whether the base has the same to say of a call.
func inBase(own *policy.Policy, call string, when []policy.Condition) bool {
	return slices.ContainsFunc(own.Syscalls.Rules, func(r policy.Rule) bool {
		return r.Then.Lets() && slices.ContainsFunc(r.Calls, func(n policy.Name) bool { return n.Text == call }) &&
			sameConditions(r.When, when)
	})
}

func sameConditions(a, b []policy.Condition) bool {
	return slices.EqualFunc(a, b, func(x, y policy.Condition) bool {
		return x.Arg.Text == y.Arg.Text && x.Mask == y.Mask && x.Equals == y.Equals && x.Bits == y.Bits && slices.Equal(x.In, y.In) &&
			len(y.Between)+len(y.Not)+len(y.Above)+len(y.Below)+len(y.AtMost)+len(y.AtLeast) == 0
	})
}

// used reports whether all that a rule allows of a call was used: each of the
// values that a condition lists.
func (l *Ledger) used(call string, r *policy.Rule, doc *policy.Policy, t policy.Target) bool {
	seen := l.calls[call]
	if seen == nil {
		return false
	}
	if len(r.When) == 0 && len(seen.shapes) > 0 {
		return false // Draft adds rules with conditions
	}
	if len(seen.shapes) == 0 {
		return true
	}
	for i, c := range r.When {
		for _, value := range c.In {
			part := *r
			part.When = slices.Clone(r.When)
			part.When[i].In, part.When[i].Equals = nil, value
			if !l.fits(call, &part, doc, t) {
				return false
			}
		}
	}
	return l.fits(call, r, doc, t)
}

// fits reports whether a rule allows one of the shapes of a call that were seen.
func (l *Ledger) fits(call string, r *policy.Rule, doc *policy.Policy, t policy.Target) bool {
	alone := &policy.Policy{Baseline: doc.Baseline, Syscalls: policy.Syscalls{Rules: []policy.Rule{*r}}}
	judge, err := alone.Judge(t)
	if err != nil {
		return true
	}
	for s := range l.calls[call].shapes {
		answer, err := judge.Decide(policy.Question{Call: call, Args: l.question(looksOf(call), s)})
		if err != nil || answer.Action.Lets() {
			return true
		}
	}
	return false
}

// unusedPaths returns the places of paths below which nothing was done that their
// list allows more than the others.
func (l *Ledger) unusedPaths(doc *policy.Policy, place Place) (out []policy.Origin) {
	mounts := doc.Mounts(place.Target)
	done := map[string]Use{} // by the path that decides
	l.files.root.walk("", func(name string, n *node) {
		for _, at := range []string{name, n.real} {
			if m, ok := mountOf(mounts, at); ok && at != "" && n.use != 0 {
				done[m.Path] |= n.use
			}
		}
	})
	for _, list := range []struct {
		paths []policy.Path
		use   Use
	}{
		{doc.Files.ReadOnly, Look | List | Read | Write | Execute | Change},
		{doc.Files.ReadWrite, Write | Change | Make},
		{doc.Files.Exec, Execute},
	} {
		for _, p := range list.paths {
			if !p.Pattern && done[place.expand(p.Text)]&list.use == 0 {
				out = append(out, p.At)
			}
		}
	}
	return out
}

// Loose returns additions that take back a place of the program's own or the
// machine's network, where nothing used them.
func (l *Ledger) Loose(doc *policy.Policy, place Place) []document.Addition {
	o := outlineOf(&l.files, place.complete())
	var d drafter
	f := &doc.Files
	for _, s := range []struct {
		used bool
		now  policy.Setting[policy.Place]
		key  string
	}{{o.home, f.Home, "home"}, {o.tmp, f.Tmp, "tmp"}, {o.dev, f.Dev, "dev"}, {o.proc, f.Proc, "proc"}} {
		if !s.used && s.now.IsSet() && s.now.Value != policy.None {
			d.add("none", "", "files", s.key)
		}
	}
	if n := doc.Network.Mode; !l.reachesOut() && n.IsSet() && n.Value == policy.HostNetwork {
		d.add("none", "", "network", "mode")
	}
	return d.Additions
}

func (n *node) walk(name string, do func(string, *node)) {
	do(name, n)
	for part, child := range n.children {
		child.walk(name+"/"+part, do)
	}
}
