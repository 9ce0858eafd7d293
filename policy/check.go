package policy

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Check finds what one document says that cannot be meant: unknown words,
// conditions that no call can have, contradictions. The error is of type
// [Problems].
func (p *Policy) Check() error {
	var c checker
	c.syscalls(&p.Syscalls)
	c.files(&p.Files)
	c.network(&p.Network)
	c.names(p.Capabilities, "capability", capabilityNames())
	c.limits(&p.Limits)
	c.environment(&p.Environment)
	c.names(p.Walls.Optional, "wall", WallNames())
	for i := range p.Tests {
		c.test(&p.Tests[i])
	}
	if len(c.problems) == 0 {
		c.filters(Merge(new(Policy), p))
	}
	sortByPlace(c.problems)
	return c.problems.Err()
}

// filters tries the rules on every architecture callgate runs on, for what only
// the filter sees: conditions of which one excludes another.
func (c *checker) filters(p *Policy) {
	for _, arch := range [...]abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
		compiled, err := p.Filter(Target{Arch: arch})
		var found Problems
		if errors.As(err, &found) {
			c.problems = append(c.problems, found...)
			return
		}
		var rule *filter.RuleError
		if errors.As(compiled.Filter.Check(), &rule) && rule.Rule >= 0 {
			c.problems.add(compiled.Origins[rule.Table][rule.Rule], "", "a rule has no meaning: %v", rule.Err)
			return
		}
	}
}

// sortByPlace puts the problems into the order of the document.
func sortByPlace(problems Problems) {
	slices.SortStableFunc(problems, func(a, b *Problem) int {
		if a.At.Line != b.At.Line {
			return a.At.Line - b.At.Line
		}
		return a.At.Column - b.At.Column
	})
}

type checker struct{ problems Problems }

func (c *checker) names(names []Name, what string, known []string) {
	for i, n := range names {
		if !slices.Contains(known, n.word()) {
			c.problems.add(n.At, Suggest(n.word(), known), "no %s %q", what, n.word())
		}
		if slices.ContainsFunc(names[:i], n.same) {
			c.problems.add(n.At, "write it once", "%s %q stands here twice", what, n.word())
		}
	}
}

func (c *checker) syscalls(s *Syscalls) {
	c.names(s.Architectures, "architecture", archNames())
	type verdict struct {
		then Action
		at   Origin
	}
	named := make(map[string]verdict)
	for i := range s.Rules {
		r := &s.Rules[i]
		c.rule(r)
		if !r.Then.Set || len(r.When) > 0 || !r.If.isEmpty() || !r.Unless.isEmpty() {
			continue
		}
		for _, n := range r.Calls {
			before, again := named[n.Text]
			switch {
			case !again:
				named[n.Text] = verdict{r.Then, r.At}
			case before.then != r.Then:
				c.problems.add(n.At, "remove one of them, or give the first a when",
					"%s is both %s (line %d) and %s", n.Text, before.then, before.at.Line, r.Then)
			}
		}
	}
}

func (r *Requirement) isEmpty() bool {
	return len(r.Capabilities)+len(r.Architectures)+len(r.Machines) == 0 && r.Kernel.IsZero()
}

func (c *checker) rule(r *Rule) {
	if !r.Then.Set {
		c.problems.add(r.At, "add then: allow, or an errno", "a rule does not say what becomes of its calls")
	}
	if len(r.Calls) == 0 {
		c.problems.add(r.At, "add calls: [NAME, ...]", "a rule is about no call")
	}
	for _, n := range r.Calls {
		if g := n.groupName(); g != "" {
			if _, ok := group(g); !ok {
				c.problems.add(n.At, Suggest(g, groupNames()), "no group %q of calls", g)
				continue
			}
		} else if !isCall(n.call()) {
			if !n.excused() {
				c.problems.add(n.At, suggestCall(n.Text), "no call %q", n.Text)
			}
			continue
		}
		for i := range r.When {
			c.condition(&r.When[i], n)
		}
	}
	for _, q := range []*Requirement{&r.If, &r.Unless} {
		c.names(unexcused(q.Capabilities), "capability", capabilityNames())
		c.names(unexcused(q.Architectures), "architecture", archNames())
		c.names(unexcused(q.Machines), "architecture", archNames())
	}
}

// condition tries a condition on each call of a name, on each architecture
// that has it.
func (c *checker) condition(when *Condition, n Name) {
	if when.Bits != 0 && when.Bits != 32 && when.Bits != 64 {
		c.problems.add(when.At, "write 32 or 64", "an argument of %d bits", when.Bits)
		return
	}
	calls := []Name{n}
	if g, ok := group(n.groupName()); ok {
		calls = g.Calls
	}
	for _, call := range calls {
		for arch := abi.AMD64; arch <= abi.ARM; arch++ {
			row, _, ok := arch.Find(call.call())
			if !ok || lacksArgument(row, when.Arg.Text) {
				continue
			}
			if _, err := when.compile(row, arch); err != nil {
				c.problems.add(when.At, "", "%v", err)
				return
			}
		}
	}
}

// lacksArgument reports whether only this architecture's variant of a call has no
// such argument, as the old mmap of i386, whose arguments lie in memory. A filter for
// that architecture can't be compiled then, and says so.
func lacksArgument(row *abi.Syscall, name string) bool {
	common, ok := abi.Lookup(row.Name)
	if !ok || common == row {
		return false
	}
	_, err := argumentIndex(common, name)
	_, here := argumentIndex(row, name)
	return err == nil && here != nil
}

func (c *checker) files(f *Files) {
	lists := [...]struct {
		key   string
		paths []Path
	}{{"ro", f.ReadOnly}, {"rw", f.ReadWrite}, {"exec", f.Exec}, {"hidden", f.Hidden}}
	c.patterns(f)
	c.digests(f)
	c.contents(f)
	for i, list := range lists {
		for j, p := range list.paths {
			if slices.ContainsFunc(list.paths[:j], p.same) {
				c.problems.add(p.At, "write it once", "%s stands under %s twice", p.Text, list.key)
			}
			for _, other := range lists[:i] {
				if (list.key != "exec") && slices.ContainsFunc(other.paths, p.same) {
					c.problems.add(p.At, "remove it from one of them", "%s is both %s and %s", p.Text, other.key, list.key)
				}
			}
			if p.Pattern {
				continue
			}
			if list.key != "exec" || !slices.ContainsFunc(slices.Concat(f.ReadOnly, f.ReadWrite), p.same) {
				c.ownPlace(p, list.key)
			}
		}
	}
	if f.Proc.Value == Host {
		c.problems.add(f.Proc.At, "write private or none", "proc: host: the machine's /proc can't be shown")
	}
}

func (p Path) same(o Path) bool {
	return p.Pattern == o.Pattern && cleanPath(p.Text) == cleanPath(o.Text)
}

// placeKey returns the key that decides about a folder, or "".
func placeKey(folder string) string {
	switch folder {
	case "/tmp", "/var/tmp":
		return "tmp"
	case "/dev":
		return "dev"
	}
	return ""
}

// ownPlace complains of a list that says what tmp, dev or proc decides.
func (c *checker) ownPlace(p Path, key string) {
	name := cleanPath(p.Text)
	if isBelow(name, "/proc") {
		c.inProc(p, name, key)
		return
	}
	if own := placeKey(name); own != "" && (key == "ro" || key == "rw" || key == "content") {
		c.problems.add(p.At, "write "+own+": private, host or none in a policy instead", "%s stands under %s", p.Text, key)
	}
}

// inProc complains of what can't be said of a path in /proc, which shows the
// program's own processes or nothing.
func (c *checker) inProc(p Path, name, key string) {
	process, _, _ := strings.Cut(strings.TrimPrefix(name, "/proc/"), "/")
	switch {
	case key == "exec" || key == "digests":
		c.problems.add(p.At, "remove it", "%s stands under %s, and nothing in /proc can be executed", p.Text, key)
	case key != "hidden" && name == "/proc":
		c.problems.add(p.At, "write proc: private or none in a policy instead", "%s stands under %s", p.Text, key)
	case key != "hidden":
		c.problems.add(p.At, "remove it: proc: private shows the program a /proc of its own, read-only", "%s stands under %s, and the machine's /proc can't be shown", p.Text, key)
	case process == "self" || process == "thread-self" || strings.Trim(process, "0123456789") == "" && name != "/proc":
		c.problems.add(p.At, "write proc: none to hide all of it", "%s is a process's, and the program's processes come and go", p.Text)
	}
}

func (c *checker) network(n *Network) {
	known := familyNames()
	c.names(n.Families.Value, "socket family", known)
	c.unix(n)
	if n.Mode.IsSet() && n.Mode.Value == NoNetwork && len(n.Connect.Value) > 0 {
		c.problems.add(n.Connect.At, "write mode: relay, or remove connect", "somewhere to connect to without a network (line %d)", n.Mode.At.Line)
	}
	if !n.Mode.IsSet() || n.Mode.Value == RelayNetwork {
		return // what it extends may say
	}
	for _, d := range n.Connect.Value {
		if !d.IsPort() && !d.Remove {
			c.problems.add(d.At, "write mode: relay, or the port alone", "%s under connect with mode: %s, which knows nothing but TCP ports", d, n.Mode.Value)
		}
	}
	if len(n.Publish) > 0 {
		c.problems.add(n.Publish[0].At, "write mode: relay, or remove publish", "a port is published with mode: %s", n.Mode.Value)
	}
}

const (
	leastMemory = 1 << 20
	mostPids    = 1 << 22 // PID_MAX_LIMIT (include/linux/threads.h)
)

func (c *checker) limits(l *Limits) {
	zero := func(at Origin, isZero bool, key string) {
		if at != (Origin{}) && isZero {
			c.problems.add(at, "write what the program may have, or remove the key", "%s: 0 leaves nothing to run with", key)
		}
	}
	zero(l.Memory.At, l.Memory.Value == 0, "memory")
	if m := l.Memory; m.Value > 0 && m.Value < leastMemory {
		c.problems.add(m.At, "write 1M or more", "memory: %d bytes are too few for a program to start in", m.Value)
	}
	zero(l.Pids.At, l.Pids.Value <= 0, "pids")
	if l.Pids.Value > mostPids {
		c.problems.add(l.Pids.At, "write at most "+strconv.Itoa(mostPids), "pids: %d is more than a kernel has numbers for", l.Pids.Value)
	}
	zero(l.Tmp.At, l.Tmp.Value == 0, "tmp")
}

func (c *checker) environment(e *Environment) {
	for _, n := range slices.Concat(e.Keep, e.Drop) {
		if _, err := path.Match(n.word(), ""); err != nil || strings.Contains(n.Text, "=") || n.word() == "" {
			c.problems.add(n.At, "write a name, with * for any text", "%q is no pattern of variables", n.Text)
		}
	}
}

func (c *checker) test(t *Test) {
	if t.Call == "" {
		c.problems.add(t.At, "add call: NAME", "a test asks about no call")
		return
	}
	if !t.Then.Set {
		c.problems.add(t.At, "add then: allow, or an errno", "a test expects nothing")
	}
	row, ok := abi.Lookup(t.Call)
	if !ok {
		c.problems.add(t.At, suggestCall(t.Call), "no call %q", t.Call)
		return
	}
	q, err := t.question()
	if err == nil && q.Path != "" {
		err = checkPath(row, q.Path)
	}
	for _, a := range q.Args {
		if _, argErr := argumentIndex(row, a.Name); argErr != nil && err == nil {
			err = argErr
		}
	}
	if err != nil {
		c.problems.add(t.At, "", "%v", err)
	}
}
