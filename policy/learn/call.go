package learn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// call is what was seen of a system call.
type call struct {
	users  users
	shapes map[shape]*users // nil where arguments make no difference
	any    bool             // too many shapes to tell apart
}

// shape is the values of the arguments that a rule looks at, masked.
type shape [3]uint64

// maxShapes bounds the shapes of a call: a program that makes more, as with the
// signals or requests it was told to try, may make all.
const maxShapes = 64

// look is an argument that makes a difference, and which of its bits do.
type look struct {
	arg  string
	mask string // constants; "" for the whole argument
}

const (
	namespaces = "CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET"
	fileType   = "0xf000" // S_IFMT
	socketType = "0xf"    // without SOCK_NONBLOCK and SOCK_CLOEXEC
)

// looks are the arguments that rules tell apart. What has a path or an address in
// memory, files and network decide.
var looks = map[string][]look{
	"arch_prctl":  {{arg: "option"}},
	"bpf":         {{arg: "cmd"}},
	"clone":       {{arg: "flags", mask: "CLONE_THREAD|" + namespaces}},
	"fcntl":       {{arg: "cmd"}},
	"ioctl":       {{arg: "cmd"}},
	"keyctl":      {{arg: "option"}},
	"kill":        {{arg: "sig"}},
	"mknod":       {{arg: "mode", mask: fileType}},
	"mknodat":     {{arg: "mode", mask: fileType}},
	"mmap":        {{arg: "prot", mask: "PROT_WRITE|PROT_EXEC"}, {arg: "flags", mask: "MAP_ANONYMOUS"}},
	"mprotect":    {{arg: "prot", mask: "PROT_WRITE|PROT_EXEC"}},
	"personality": {{arg: "personality"}},
	"prctl":       {{arg: "option"}},
	"prlimit64":   {{arg: "resource"}},
	"ptrace":      {{arg: "request"}},
	"seccomp":     {{arg: "op"}},
	"setns":       {{arg: "flags"}},
	"setsockopt":  {{arg: "level"}, {arg: "optname"}},
	"socket":      {{arg: "family"}, {arg: "type", mask: socketType}, {arg: "protocol"}},
	"socketpair":  {{arg: "family"}, {arg: "type", mask: socketType}, {arg: "protocol"}},
	"tgkill":      {{arg: "sig"}},
	"tkill":       {{arg: "sig"}},
	"unshare":     {{arg: "flags"}},
}

// argument finds an argument as conditions of a policy do: by its name or the last
// word of that.
func argument(row *abi.Syscall, name string) (int, *abi.Arg, bool) {
	for i := range row.Args {
		if row.Args[i].Name == name {
			return i, &row.Args[i], true
		}
	}
	for i := range row.Args {
		if strings.HasSuffix(row.Args[i].Name, "_"+name) {
			return i, &row.Args[i], true
		}
	}
	return 0, nil, false
}

// Call notes that a program made a call. Calls that have no name are none that a
// policy could allow.
func (l *Ledger) Call(c abi.Call, program string) {
	row, ok := c.Syscall()
	if !ok {
		return
	}
	known := l.calls[row.Name]
	if known == nil {
		known = &call{}
		l.calls[row.Name] = known
	}
	known.users.add(program)
	differ, ok := looks[row.Name]
	if !ok || known.any {
		return
	}
	var s shape
	for i, look := range differ {
		at, arg, found := argument(row, look.arg)
		if !found {
			panic(fmt.Sprintf("learn: %s has no argument %s", row.Name, look.arg)) // TestLooks asks for each
		}
		s[i] = arg.Narrow(c.Args[at]) & look.bits(l.arch)
	}
	if known.shapes[s] == nil {
		if len(known.shapes) == maxShapes {
			known.any, known.shapes = true, nil
			return
		}
		if known.shapes == nil {
			known.shapes = map[shape]*users{}
		}
		known.shapes[s] = &users{}
	}
	known.shapes[s].add(program)
}

// bits is the mask as a number.
func (k look) bits(arch abi.Arch) uint64 {
	if k.mask == "" {
		return ^uint64(0)
	}
	var bits uint64
	for _, part := range strings.Split(k.mask, "|") {
		value, ok := abi.ParseConstant(part, arch)
		if !ok {
			value, _ = strconv.ParseUint(part, 0, 64)
		}
		bits |= value
	}
	return bits
}
