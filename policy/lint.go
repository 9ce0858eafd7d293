package policy

import (
	"fmt"
	"slices"

	"github.com/callgate/callgate/abi"
)

// Lint finds what a merged policy allows that few mean to allow, and what it
// says in vain. Unlike the problems of [Policy.Check], these may be meant.
func (p *Policy) Lint(t Target) (Problems, error) {
	j, err := p.Judge(t)
	if err != nil {
		return nil, err
	}
	var found Problems
	j.dangers(&found)
	j.start(&found)
	j.datagrams(&found)
	j.copied(&found)
	p.blind(&found)
	p.shadowed(&found)
	p.vain(&found)
	sortByPlace(found)
	return found, nil
}

// dangers are calls that no unprivileged program needs and whose being allowed
// undoes other walls.
var dangers = [...]struct {
	call, arg string
	value     Operand
	why       string
}{
	{"ioctl", "1", "TIOCSTI", "types commands into the terminal's shell"},
	{"ptrace", "", "", "takes over other processes of the user"},
	{"process_vm_writev", "", "", "writes other processes' memory"},
	{"io_uring_setup", "", "", "makes a ring, whose calls no filter sees"},
	{"clone", "0", "CLONE_NEWUSER", "makes a user namespace, with all capabilities in it"},
	{"unshare", "0", "CLONE_NEWUSER", "makes a user namespace, with all capabilities in it"},
	{"bpf", "", "", "loads programs into the kernel"},
	{"keyctl", "", "", "reads the user's keys, which no namespace holds apart"},
	{"userfaultfd", "", "", "holds the kernel at a page fault, which exploits need"},
	{"open_by_handle_at", "", "", "opens files round the file tree"},
	{"perf_event_open", "", "", "watches other processes and the kernel"},
	{"kexec_load", "", "", "replaces the kernel"},
	{"init_module", "", "", "loads code into the kernel"},
	{"mount", "", "", "changes the file tree"},
}

func (j *Judge) dangers(found *Problems) {
	for _, d := range dangers {
		q := Question{Call: d.call}
		if d.arg != "" {
			q.Args = []Arg{{Name: d.arg, Value: d.value}}
		}
		a, err := j.Decide(q)
		if err != nil || !a.Action.Lets() || slices.ContainsFunc(j.policy.Capabilities, grantsCall(d.call)) {
			continue
		}
		what := d.call
		if d.value != "" {
			what = fmt.Sprintf("%s with %s", d.call, d.value)
		}
		found.add(j.ruleFor(q), "remove it from the rule, or add one that refuses it before", "%s is allowed: it %s", what, d.why)
	}
}

// grantsCall reports whether a capability is there for the sake of the call.
func grantsCall(call string) func(Name) bool {
	return func(n Name) bool {
		switch n.Text {
		case "CAP_SYS_ADMIN":
			return true
		case "CAP_SYS_PTRACE":
			return call == "ptrace" || call == "process_vm_writev"
		case "CAP_BPF":
			return call == "bpf"
		case "CAP_PERFMON":
			return call == "perf_event_open"
		case "CAP_SYS_MODULE":
			return call == "init_module"
		case "CAP_SYS_BOOT":
			return call == "kexec_load"
		case "CAP_DAC_READ_SEARCH":
			return call == "open_by_handle_at"
		}
		return false
	}
}

// ruleFor returns where the rule stands that allows a call.
func (j *Judge) ruleFor(q Question) Origin {
	call, number, err := j.lookup(q.Call)
	if err != nil {
		return Origin{}
	}
	args, _ := q.registers(call, j.target.Arch)
	return j.syscall(q, call, number, args).At
}

// start complains of a policy under which no program can begin.
func (j *Judge) start(found *Problems) {
	if a, err := j.Decide(Question{Call: "execve"}); err == nil && !a.Action.Lets() {
		found.add(a.At, "allow execve, and say under files.exec what may be executed",
			"execve is refused: the program itself is started by it, after the filter")
	}
}

// datagrams complains of ports to connect to that datagrams go round.
func (j *Judge) datagrams(found *Problems) {
	connect := j.policy.Network.Connect
	a, err := j.Decide(Question{Call: "socket", Args: []Arg{{Name: "0", Value: "AF_INET"}, {Name: "1", Value: "SOCK_DGRAM"}}})
	if err == nil && j.policy.Network.limitsConnect() && a.Action.Lets() {
		found.add(connect.At, "refuse socket with type SOCK_DGRAM, or leave connect out",
			"ports are limited for TCP alone, and datagrams are allowed")
	}
}

// blind complains of calls that are allowed although their arguments lie
// behind a pointer and their twins' are looked at.
func (p *Policy) blind(found *Problems) {
	for _, call := range p.blindCalls() {
		for i := range p.Syscalls.Rules {
			if r := &p.Syscalls.Rules[i]; r.names(call) && len(r.When) == 0 && r.If.isEmpty() && r.Unless.isEmpty() {
				if r.Then.Lets() {
					found.add(r.At, "let it be ENOSYS; libraries then use the older call",
						"%s is allowed, and is a way round the conditions on the call it replaces", call)
				}
				break
			}
		}
	}
}

// shadowed complains of rules that can decide nothing, as rules before them in
// the same document decide all their calls.
func (p *Policy) shadowed(found *Problems) {
	for i := range p.Syscalls.Rules {
		r := &p.Syscalls.Rules[i]
		if len(r.Calls) == 0 {
			continue
		}
		dead := !slices.ContainsFunc(r.Calls, func(n Name) bool {
			return !slices.ContainsFunc(p.Syscalls.Rules[:i], func(before Rule) bool {
				return before.At.File == r.At.File && len(before.When) == 0 &&
					before.If.isEmpty() && before.Unless.isEmpty() &&
					slices.ContainsFunc(before.Calls, n.same)
			})
		})
		if dead {
			found.add(r.At, "remove it, or move it up", "a rule decides nothing: rules before it decide all its calls")
		}
	}
}

// allowsEveryFamily reports whether a rule allows sockets whatever their family.
func (p *Policy) allowsEveryFamily() bool {
	return slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool {
		return r.Then.Lets() && r.covers("socket") &&
			!slices.ContainsFunc(r.When, func(c Condition) bool { return c.Arg.Text == "family" || c.Arg.Text == "0" })
	})
}

// vain complains of what is said without effect, or with less than it seems.
func (p *Policy) vain(found *Problems) {
	for _, v := range p.Environment.Set {
		if matchesAny(p.Environment.Drop, v.Name) {
			found.add(v.At, "remove it from one of them", "%s is set, although drop names it: set wins", v.Name)
		}
	}
	for _, rw := range p.Files.ReadWrite {
		narrows := func(o Path) bool { return o.Pattern }
		if rw.Pattern && !slices.ContainsFunc(p.Files.ReadOnly, narrows) && !slices.ContainsFunc(p.Files.Hidden, narrows) {
			found.add(rw.At, "name a folder, or write [*], [?] and [[] for the characters themselves",
				"the pattern %s grants nothing: patterns only narrow what plain paths grant, and no other pattern does", rw.Text)
		}
	}
	n := &p.Network
	if n.limitsPorts() && !n.Families.IsSet() && p.allowsEveryFamily() {
		at := n.Connect.At
		if !n.limitsConnect() {
			at = n.Bind.At
		}
		found.add(at, "add families: [unix, inet, inet6]", "ports are limited for TCP alone, and every socket family is left to the rules of calls")
	}
	for _, rw := range p.Files.ReadWrite {
		if t := cleanPath(rw.Text); t == "/" || t == "/etc" || t == "/usr" || t == "~" {
			found.add(rw.At, "name the directories below it that the program writes", "%s is writable: what is put there runs outside later", rw.Text)
		}
	}
}

// WallNames returns the walls that a policy may name as optional, sorted. The
// filter, the lack of new privileges, descriptors and the environment are never
// optional.
func WallNames() []string {
	return []string{"cgroup", "ipc", "landlock", "mount", "network", "pid", "ports", "user", "uts"}
}

func archNames() []string {
	var names []string
	for a := abi.AMD64; a <= abi.ARM; a++ {
		names = append(names, a.String())
	}
	return names
}

func groupNames() []string {
	names := make([]string, len(groups))
	for i := range groups {
		names[i] = groups[i].Name
	}
	return names
}
