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

// looksOf returns the arguments that rules tell apart. What has a path or an
// address in memory, files and network decide.
func looksOf(call string) []look {
	switch call {
	case "arch_prctl", "keyctl", "prctl":
		return []look{{arg: "option"}}
	case "bpf", "ioctl":
		return []look{{arg: "cmd"}}
	case "clone":
		return []look{{arg: "flags", mask: "CLONE_THREAD|" + namespaces}}
	case "kill", "tgkill", "tkill":
		return []look{{arg: "sig"}}
	case "mknod", "mknodat":
		return []look{{arg: "mode", mask: fileType}}
	case "mmap":
		return []look{{arg: "prot", mask: "PROT_WRITE|PROT_EXEC"}, {arg: "flags", mask: "MAP_ANONYMOUS"}}
	case "mprotect":
		return []look{{arg: "prot", mask: "PROT_WRITE|PROT_EXEC"}}
	case "personality":
		return []look{{arg: "personality"}}
	case "prlimit64":
		return []look{{arg: "resource"}}
	case "ptrace":
		return []look{{arg: "request"}}
	case "seccomp":
		return []look{{arg: "op"}}
	case "setns", "unshare":
		return []look{{arg: "flags"}}
	case "setsockopt":
		return []look{{arg: "level"}, {arg: "optname"}}
	case "socket", "socketpair":
		return []look{{arg: "family"}, {arg: "type", mask: socketType}, {arg: "protocol"}}
	}
	return nil
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
	differ := looksOf(row.Name)
	if len(differ) == 0 || known.any {
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
