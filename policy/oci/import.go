package oci

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// Policy turns the profile into a policy of the same decisions, in which every
// rule says where the profile has it. A profile speaks of calls alone, as a
// container brings the rest: files, network and environment are those of the
// preset oci.
//
// Calls of no kernel that this callgate knows get ENOSYS, so that libraries
// fall back, where the profile has them fail by its default action.
//
// The error is of type [policy.Problems].
func (p *Profile) Policy() (*policy.Policy, error) {
	i := importer{profile: p, out: contained(p.At)}
	i.top()
	entries := i.ordered()
	i.out.Syscalls.Rules = make([]policy.Rule, 0, len(entries))
	for _, s := range entries {
		i.syscall(s)
	}
	i.blind()
	if err := i.problems.Err(); err != nil {
		return nil, err
	}
	return i.out, nil
}

// byDefault is the comment of the rules that blind adds.
const byDefault = "not in the profile, which decides it by its default action"

// blind adds rules for the calls that a policy refuses unless it names them,
// since they are a way round its conditions: the profile has that hole, so its
// policy has it too, and Lint can tell.
func (i *importer) blind() {
	for _, call := range i.out.BlindCalls() {
		named := slices.ContainsFunc(i.out.Syscalls.Rules, func(r policy.Rule) bool {
			return len(r.When) == 0 && slices.ContainsFunc(r.Calls, func(n policy.Name) bool { return n.Text == call })
		})
		if !named {
			i.out.Syscalls.Rules = append(i.out.Syscalls.Rules, policy.Rule{
				Then: policy.Do(i.otherwise), At: i.profile.At,
				Calls: []policy.Name{{Text: call, At: i.profile.At}}, Comment: byDefault,
			})
		}
	}
}

// contained returns a policy that says nothing of calls, and has the files,
// network and variables of the preset oci, so that it can be run.
func contained(at policy.Origin) *policy.Policy {
	around, _ := policy.Preset("oci")
	return &policy.Policy{Baseline: newest(at), Files: around.Files, Network: around.Network, Environment: around.Environment}
}

// newest returns the kernel that brought the newest call that callgate knows:
// with it as the baseline, no known call is too new. New calls come to all
// architectures at once, so one tells.
func newest(at policy.Origin) policy.Version {
	var last abi.Version
	for _, call := range abi.ARM64.Syscalls() {
		if last.Less(call.Since) {
			last = call.Since
		}
	}
	return policy.Version{Major: int(last.Major), Minor: int(last.Minor), At: at}
}

type importer struct {
	profile   *Profile
	out       *policy.Policy
	otherwise filter.Action
	problems  policy.Problems
}

func (i *importer) add(at policy.Origin, cure, format string, args ...any) {
	i.problems = append(i.problems, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
}

// top reads what is not about single calls.
func (i *importer) top() {
	p := i.profile
	action, err := parseAction(p.DefaultAction, p.DefaultErrnoRet, p.DefaultErrno)
	if err != nil {
		i.add(p.At, "", "defaultAction: %v", err)
	}
	i.otherwise = action
	i.out.Syscalls.Otherwise = policy.Setting[policy.Action]{Value: policy.Do(action), At: p.At}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		i.add(p.At, "remove one", "the profile has both architectures and archMap")
	}
	o := &i.out.OCI
	o.Architectures, o.Flags = names(p.Architectures, p.At), names(p.Flags, p.At)
	o.ListenerPath, o.ListenerMetadata = p.ListenerPath, p.ListenerMetadata
	o.ErrnoNames = p.DefaultErrno != "" || slices.ContainsFunc(p.Syscalls, func(s Syscall) bool { return s.Errno != "" })
	numberings := slices.Clone(p.Architectures)
	for _, m := range p.ArchMap {
		o.ArchMap = append(o.ArchMap, policy.OCIArch{Architecture: policy.Name{Text: m.Architecture, At: p.At}, With: names(m.SubArchitectures, p.At), At: p.At})
		if _, ok := abi.ParseArch(m.Architecture); ok {
			numberings = append(numberings, m.SubArchitectures...)
		}
	}
	for a := abi.I386; a <= abi.ARM; a++ { // those that are no machine's own
		if slices.Contains(numberings, a.OCI()) {
			i.out.Syscalls.Architectures = append(i.out.Syscalls.Architectures, policy.Name{Text: a.String(), At: p.At})
		}
	}
}

func names(list []string, at policy.Origin) []policy.Name {
	var out []policy.Name
	for _, text := range list {
		if n := (policy.Name{Text: text, At: at}); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// syscall turns one entry into a rule, or several where any of its conditions
// suffices.
func (i *importer) syscall(s *Syscall) {
	r := policy.Rule{Then: policy.Do(i.action(s)), At: s.At, Comment: s.Comment, Calls: make([]policy.Name, 0, len(s.Names))}
	for _, name := range s.Names {
		if _, ok := abi.Lookup(name); !ok {
			name = "?" + name
		}
		r.Calls = append(r.Calls, policy.Name{Text: name, At: s.At})
	}
	if len(r.Calls) == 0 {
		i.add(s.At, "add names: [NAME, ...]", "a rule is about no call")
	}
	r.If, r.Unless = i.requirement(s.Includes), i.requirement(s.Excludes)
	conds := i.conditions(s.Args)
	add := func(when []policy.Condition) {
		r.When = when
		i.out.Syscalls.Rules = append(i.out.Syscalls.Rules, r)
	}
	switch {
	case !repeats(s.Args):
		add(conds)
	case isSet(s.Args):
		in := policy.Condition{Arg: conds[0].Arg, Bits: conds[0].Bits, At: conds[0].At}
		for _, c := range conds {
			in.In = append(in.In, c.Equals)
		}
		add([]policy.Condition{in})
	default:
		for _, c := range conds {
			add([]policy.Condition{c})
		}
	}
}

func (i *importer) action(s *Syscall) filter.Action {
	action, err := parseAction(s.Action, s.ErrnoRet, s.Errno)
	if err != nil {
		i.add(s.At, "", "%v", err)
	}
	return action
}

// repeats reports whether two conditions are on the same argument: runc then
// makes a rule of each (matchCall in libcontainer/seccomp/seccomp_linux.go).
func repeats(args []Arg) bool {
	for n, a := range args {
		if slices.ContainsFunc(args[:n], func(b Arg) bool { return a.Index == b.Index }) {
			return true
		}
	}
	return false
}

// isSet reports whether all conditions ask whether the same argument has a value.
func isSet(args []Arg) bool {
	return !slices.ContainsFunc(args, func(a Arg) bool { return a.Op != "SCMP_CMP_EQ" || a.Index != args[0].Index })
}

func (i *importer) conditions(args []Arg) []policy.Condition {
	var out []policy.Condition
	for _, a := range args {
		if a.Index > 5 {
			i.add(a.At, "write 0 to 5", "argument %d: a call has arguments 0 to 5", a.Index)
		}
		op, err := parseOp(a.Op)
		if err != nil {
			i.add(a.At, "", "%v", err)
		}
		// The specification compares whole registers.
		c := policy.Condition{Arg: policy.Name{Text: strconv.FormatUint(a.Index, 10), At: a.At}, Bits: 64, At: a.At}
		value := operand(a.Value)
		switch op {
		case filter.NotEqual:
			c.Not = value
		case filter.Less:
			c.Below = value
		case filter.LessEqual:
			c.AtMost = value
		case filter.Equal:
			c.Equals = value
		case filter.GreaterEqual:
			c.AtLeast = value
		case filter.Greater:
			c.Above = value
		case filter.MaskedEqual:
			c.Mask, c.Equals = value, operand(a.ValueTwo)
		}
		out = append(out, c)
	}
	return out
}

func operand(v uint64) policy.Operand {
	if v < 4096 {
		return policy.Operand(strconv.FormatUint(v, 10))
	}
	return policy.Operand("0x" + strconv.FormatUint(v, 16))
}

func (i *importer) requirement(f *Filter) policy.Requirement {
	if f.isEmpty() {
		return policy.Requirement{}
	}
	q := policy.Requirement{At: f.At}
	for _, c := range f.Caps {
		if _, ok := abi.ParseCapability(c); !ok {
			c = "?" + c
		}
		q.Capabilities = append(q.Capabilities, policy.Name{Text: c, At: f.At})
	}
	for _, a := range f.Arches {
		q.Machines = append(q.Machines, policy.Name{Text: machine(a), At: f.At})
	}
	if f.MinKernel != "" {
		if err := q.Kernel.UnmarshalText([]byte(f.MinKernel)); err != nil {
			i.add(f.At, "", "minKernel: %v", err)
		}
		q.Kernel.At = f.At
	}
	return q
}
