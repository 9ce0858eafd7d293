package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
)

// withCure adds to a refusal by seccomp what would allow the call.
func (j *Judge) withCure(a Answer, q Question, call *abi.Syscall, number abi.Sysno) Answer {
	n := &j.policy.Network
	switch {
	case a.Action.Lets():
	case j.patterns != nil && a.At == j.policy.Files.firstPattern().At:
		a.Reason = "it would let the program get past the patterns of files"
	case n.Unix.IsSet() && a.At == n.Unix.At:
		a.Reason = "it would let the program get past the list of UNIX sockets"
	case a.At == Origin{}:
		a.Cure = j.ruleCure(q, call, number)
	case call.Name == memoryFile && a.At == j.policy.Files.ExecOnly.At:
		a.Reason = "exec-only lets nothing be executed that is not listed, and what is written to memory could be"
		a.Cure = j.ruleCure(q, call, number)
	case a.At == n.Families.At:
		a.Reason = "the network section does not list this socket family"
		a.Cure = "network:\n  families: [" + familyOf(q, j.target.Arch) + "]\n"
	case a.At == n.Bind.At && call.Name == "listen":
		a.Reason = "the network section lists no port under bind, and a socket that listens gets one all the same"
		a.Cure = j.ruleCure(q, call, number)
	case a.At == n.Connect.At, a.At == n.Bind.At:
		a.Reason = "the network section limits ports, which Landlock sees of TCP's bind and connect alone"
	default:
		a.Cure = j.ruleCure(q, call, number)
	}
	return a
}

// ruleCure returns a rule that allows the call, and no other: with the question's
// arguments where the policy looks at them, and where they say what is done.
func (j *Judge) ruleCure(q Question, call *abi.Syscall, number abi.Sysno) string {
	var conds []string
	for _, arg := range q.Args {
		i, err := argumentIndex(call, arg.Name)
		switch {
		case err != nil, call.Args[i].Pointer(): // whose value no rule can name
			continue
		case j.looksAt(number, i):
		case makesNodes(call) && call.Args[i].Kind == abi.KindMode:
			if cond, ok := j.nodeKind(arg.Value, &call.Args[i]); ok {
				conds = append(conds, cond)
			}
			continue
		case !distinguishes(&call.Args[i]):
			continue
		}
		conds = append(conds, fmt.Sprintf("{arg: %s, equals: %s}", call.Args[i].Name, arg.Value.named(&call.Args[i], j.target.Arch)))
	}
	when := ""
	if len(conds) > 0 {
		when = ", when: [" + strings.Join(conds, ", ") + "]"
	}
	return fmt.Sprintf("syscalls:\n  rules:\n  - {then: allow, calls: [%s]%s}\n", call.Name, when)
}

// distinguishes reports whether an argument has names for what a call does by it:
// requests, operations, families, flags.
func distinguishes(arg *abi.Arg) bool {
	return arg.Kind == abi.KindFlags || arg.Kind == abi.KindChoice || arg.Kind == abi.KindIoctl
}

func makesNodes(call *abi.Syscall) bool { return call.Name == "mknod" || call.Name == "mknodat" }

// nodeKind is the condition that a file of the same kind is made: a device is more
// than a FIFO, and permissions matter less.
func (j *Judge) nodeKind(mode Operand, arg *abi.Arg) (string, bool) {
	value, err := mode.value(j.target.Arch, width(arg, j.target.Arch))
	mask, ok := abi.ParseConstant("S_IFMT", j.target.Arch)
	if err != nil || !ok {
		return "", false
	}
	for _, name := range [...]string{"S_IFCHR", "S_IFBLK", "S_IFIFO", "S_IFSOCK", "S_IFREG"} {
		if kind, ok := abi.ParseConstant(name, j.target.Arch); ok && value&mask == kind {
			return fmt.Sprintf("{arg: %s, mask: S_IFMT, equals: %s}", arg.Name, name), true
		}
	}
	return "", false
}

// looksAt reports whether a rule for the call has a condition on the argument.
func (j *Judge) looksAt(number abi.Sysno, index int) bool {
	for _, r := range j.compiled.Filter.Tables[0].Rules {
		if r.Nr != number {
			continue
		}
		for _, c := range r.When {
			if c.Arg == index {
				return true
			}
		}
	}
	return false
}

// familyOf returns the name, as the network section has it, of the family that
// the question is about.
func familyOf(q Question, arch abi.Arch) string {
	i := slices.IndexFunc(q.Args, func(a Arg) bool { return a.Name == "family" || a.Name == "0" })
	if i < 0 {
		return familyName(0)
	}
	v, err := q.Args[i].Value.value(arch, 32)
	if err != nil {
		return familyName(0)
	}
	return familyName(v)
}

// fileCure returns the paths to add for a call that the file tree stops, or ""
// where no path would help.
func (j *Judge) fileCure(text string, want wanted, mount Mount) string {
	name := j.target.expand(text)
	if !writable(text) {
		return ""
	}
	switch mount.Kind {
	case Device:
		return "files:\n  dev: host\n"
	case Proc:
		return "files:\n  proc: host\n"
	}
	if want.creates && name != mount.Path {
		text, name = path.Dir(text), path.Dir(name) // what is not there yet cannot be mounted
	}
	if name == "/" {
		return ""
	}
	access := want.access
	if name == mount.Path {
		access |= mount.Access // naming a path says everything about it
	}
	text = quoted(escape(text))
	var lists string
	if access&Write != 0 {
		lists += "  rw: [" + text + "]\n"
	}
	if access&Execute != 0 {
		lists += "  exec: [" + text + "]\n"
	}
	if lists == "" {
		lists = "  ro: [" + text + "]\n"
	}
	return "files:\n" + lists
}
