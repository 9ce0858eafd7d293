package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// Draft is what a run needs and a policy lacks.
type Draft struct {
	Additions []document.Addition
	Notes     []string // what was left out, and why
}

// Draft returns what a policy must have added so that all that was seen may
// happen. What the policy hides or refuses by a rule stays so, and is noted.
func (l *Ledger) Draft(p *policy.Policy, place Place) (*Draft, error) {
	judge, err := p.Judge(place.Target)
	if err != nil {
		return nil, err
	}
	d := &drafter{policy: p, place: place.complete(), mounts: p.Mounts(place.Target)}
	if answer, err := judge.Decide(policy.Question{Call: "read"}); err == nil && !answer.Action.Lets() {
		for _, r := range parseBase().Syscalls.Rules { // of these nobody sees whether they are needed
			d.add(r, "", "syscalls", "rules")
		}
	}
	d.rules(l, func(call string, args []policy.Arg) bool {
		answer, err := judge.Decide(policy.Question{Call: call, Args: args})
		return err == nil && (answer.Action.Lets() || p.Refuses(answer.At))
	})
	o := outlineOf(&l.files, d.place)
	for _, e := range o.entries {
		d.file(e)
	}
	d.places(o)
	for _, folder := range slices.Sorted(maps.Keys(o.programs)) {
		if m, ok := mountOf(d.mounts, folder); !ok || m.Path != folder || m.Access&policy.Execute == 0 {
			d.add(policy.Path{Text: folder}, o.programs[folder].String(), "files", "exec")
		}
	}
	d.hidden(l)
	d.network(l)
	d.Notes = append(d.Notes, o.notes...)
	for _, program := range slices.Sorted(maps.Keys(l.closed)) {
		d.note("%s closed its memory to others (PR_SET_DUMPABLE of prctl(2)): the files and addresses that it named are not learnt", program)
	}
	return &d.Draft, nil
}

type drafter struct {
	Draft
	policy *policy.Policy
	place  Place
	mounts []policy.Mount
}

func (d *drafter) add(value any, comment string, key ...string) {
	d.Additions = append(d.Additions, document.Addition{Key: key, Value: value, Comment: comment})
}

func (d *drafter) note(format string, args ...any) {
	d.Notes = append(d.Notes, oneLine(fmt.Sprintf(format, args...)))
}

// rules adds rules behind those of the document. Where it lists the families of
// sockets, those decide and not rules.
func (d *drafter) rules(l *Ledger, allowed lets) {
	for _, r := range l.rules(allowed) {
		if call := r.Calls[0].Text; d.policy.Network.Families.IsSet() && (call == "socket" || call == "socketpair") {
			continue
		}
		d.add(r.Rule, r.Comment, "syscalls", "rules")
	}
	if families := d.policy.Network.Families; families.IsSet() {
		for _, name := range l.families() {
			if name = strings.ToLower(name); !slices.ContainsFunc(families.Value, func(n policy.Name) bool { return n.Text == name || n.Text == name+"-route" }) {
				d.add(policy.Name{Text: name}, "", "network", "families")
			}
		}
	}
}

// file adds an entry to the lists that give what the policy doesn't.
func (d *drafter) file(e Entry) {
	for _, h := range d.policy.Files.Hidden {
		if !h.Pattern && within(e.Path, d.place.expand(h.Text)) {
			return // as hidden says
		}
	}
	m, shown := mountOf(d.mounts, e.Path)
	switch {
	case shown && m.Kind == policy.Bind && e.Access&^m.Access == 0:
		return
	case shown && m.Kind == policy.Bind && m.Access&policy.Write != 0:
		e.Path, e.Optional = m.Path, m.Optional // a mount in a writable folder could not be replaced
		e.Access &^= m.Access
	case shown && m.Kind == policy.Bind && m.Path == e.Path:
		e.Access &^= m.Access
	case shown && m.Kind == policy.Bind:
		e.Access |= m.Access
	}
	text, ok := d.place.text(e.Path)
	if !ok {
		d.note("%q can't be written in a policy, for a character in it: it is not granted", e.Path)
		return
	}
	if d.place.secret(e.Path) {
		d.note("%s was used by %s and is granted, although the preset default hides it: look whether it should be", text, e.users)
	}
	value := policy.Path{Text: text, Optional: e.Optional}
	if e.Access&policy.Execute != 0 {
		d.add(value, e.users.String(), "files", "exec")
	}
	if e.Access&policy.Write != 0 {
		d.add(value, e.users.String(), "files", "rw")
	}
	if e.Access == policy.Read {
		d.add(value, e.users.String(), "files", "ro")
	}
}

// hidden tells of what the policy hides and the program used.
func (d *drafter) hidden(l *Ledger) {
	for _, h := range d.policy.Files.Hidden {
		n := l.files.at(d.place.expand(h.Text))
		if h.Pattern || n == nil {
			continue
		}
		var used users
		n.each(func(n *node) {
			if n.use&^Look != 0 {
				used.join(n.users)
			}
		})
		if used.count > 0 {
			d.note("%s hides %s, which was used by %s: left so", h.At, h.Text, used)
		}
	}
}

// mountOf returns the mount that decides about a path: the most specific.
func mountOf(mounts []policy.Mount, name string) (found policy.Mount, ok bool) {
	for _, m := range mounts {
		if within(name, m.Path) && len(m.Path) >= len(found.Path) {
			found, ok = m, true
		}
	}
	return found, ok
}

// places has the program see a /proc, a /dev, a /tmp and a home directory of its
// own, where it used them.
func (d *drafter) places(o *outline) {
	f := &d.policy.Files
	for _, s := range []struct {
		used bool
		now  policy.Place
		key  string
	}{{o.home, f.Home.Value, "home"}, {o.tmp, f.Tmp.Value, "tmp"}, {o.dev, f.Dev.Value, "dev"}, {o.proc, f.Proc.Value, "proc"}} {
		if s.used && s.now == policy.None {
			d.add("private", "", "files", s.key)
		}
	}
}

// Refused tells of the calls that a policy refuses although they were seen: a rule
// before those that were learnt does.
func (l *Ledger) Refused(p *policy.Policy, t policy.Target) ([]string, error) {
	judge, err := p.Judge(t)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(l.calls)) {
		c := l.calls[name]
		shapes := slices.Collect(maps.Keys(c.shapes))
		if c.plain() {
			shapes = []shape{{}}
		}
		for _, s := range shapes {
			var args []policy.Arg
			if !c.plain() {
				args = l.question(looksOf(name), s)
			}
			answer, err := judge.Decide(policy.Question{Call: name, Args: args})
			if err == nil && !answer.Action.Lets() {
				out = append(out, fmt.Sprintf("%s refuses %s, which was used by %s: left so", answer.At, name, c.users))
				break
			}
		}
	}
	return out, nil
}
