package guard

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Foretell makes the calls that name a file or a port pass the gate, where a
// program lets them: it returns the program that stops them, and routes them to a
// handler that says what mounts, Landlock and the network are going to refuse by
// the policy. The calls go on: the walls decide, by the memory that they read
// themselves.
func Foretell(program filter.Program, arch abi.Arch, judge *policy.Judge, mux *gate.Mux) (filter.Program, error) {
	return foretell(program, arch, mux, &prophet{judge, taskHas})
}

func foretell(program filter.Program, arch abi.Arch, mux *gate.Mux, handler gate.Handler) (filter.Program, error) {
	var calls []abi.Sysno
	for number, row := range arch.Syscalls() {
		if names(row) && program.ConstantAllow(arch.Audit(), number) && !mux.Has(row.Name) {
			calls = append(calls, number)
			mux.Route(row.Name, handler)
		}
	}
	return program.NotifyOf(arch, calls)
}

// names reports whether a call names a file, or a port.
func names(row *abi.Syscall) bool {
	for i := range row.Args {
		if row.Args[i].Kind == abi.KindPath {
			return true
		}
	}
	return row.Name == "connect" || row.Name == "bind"
}

// prophet is the handler of Foretell.
type prophet struct {
	judge   *policy.Judge
	taskHas func(tid int, name string) bool
}

// Handle is gate.Handler's.
func (p *prophet) Handle(_ context.Context, t *gate.Trap) gate.Verdict {
	if _, ok := t.Syscall(); !ok {
		return gate.Verdict{}
	}
	if refusal := p.foresee(t); refusal != nil {
		return gate.Expect(refusal)
	}
	return gate.Continue()
}

// Foresee returns what says why the walls that the policy has in the kernel will
// refuse a call, or have refused it; nil for calls that they let.
func Foresee(judge *policy.Judge) func(*gate.Trap) *gate.Refusal {
	return (&prophet{judge, taskHas}).foresee
}

func (p *prophet) foresee(t *gate.Trap) *gate.Refusal {
	row, _ := t.Syscall()
	question := policy.Question{Call: row.Name, Args: registers(row, t.Args)}
	for i := range row.Args {
		switch row.Args[i].Kind {
		case abi.KindPath:
			text, err := t.Path(i)
			if err != nil || text == "" { // what can't be read, the kernel refuses; "" is a descriptor's own file
				continue
			}
			question.Path = absolute(t, row, i, text)
		case abi.KindSockaddr:
			question.Host, question.Port = destination(t, row, i)
		default:
			continue
		}
		if refusal := p.refusal(t, row, i, question); refusal != nil {
			return refusal
		}
	}
	return nil
}

// refusal is what the policy's walls make of a call, or nil.
func (p *prophet) refusal(t *gate.Trap, row *abi.Syscall, i int, q policy.Question) *gate.Refusal {
	answer, err := p.judge.Decide(q)
	switch {
	case err != nil:
		return nil
	case answer.Action.Lets():
		if q.Path == "" || !isLink(q.Path) || !follows(t, row, i) {
			return nil
		}
	case answer.Action.Kind() != filter.ActionErrno, q.Call == "connect" && p.judge.Names != nil && p.sends(q):
		return nil
	}
	if q.Path != "" && (answer.Wall == policy.WallFiles || answer.Action.Lets()) {
		if answer = p.byFile(t, row, i, q, answer); answer.Action.Lets() {
			return nil
		}
	}
	return &gate.Refusal{Errno: abi.Errno(answer.Action.Data()), Why: whyOf(answer)}
}

// byFile is the answer once the file is looked at: a call that would fail without
// the file tree as well is let, and links are followed.
func (p *prophet) byFile(t *gate.Trap, row *abi.Syscall, i int, q policy.Question, answer policy.Answer) policy.Answer {
	withheld := func(a policy.Answer) bool { return !a.Action.Lets() && abi.Errno(a.Action.Data()) == abi.ENOENT }
	lets := policy.Answer{Action: policy.Do(filter.ActionAllow)}
	if withheld(answer) && (p.taskHas(t.Task.TID, q.Path) || namesNew(row, i) && p.taskHas(t.Task.TID, path.Dir(q.Path))) {
		return lets // the program made one of its own
	}
	v, ok := viewerOf(t.Task.TID)
	if !ok {
		if nowhere(q.Path) {
			return lets
		}
		return answer
	}
	text, _ := t.Path(i)
	at, err := v.look(v.ofTask(q.Path), follows(t, row, i))
	if err != nil || failsAnyway(t, row, i, strings.HasSuffix(text, "/"), at, v) {
		return lets
	}
	seen, err := p.judge.Decide(policy.Question{Call: "readlinkat", Path: q.Path})
	reached := err == nil && seen.Action.Lets() // nothing withholds it: links in it are followed
	if reached && at.real != q.Path && !strings.HasPrefix(at.real, "/proc/") {
		q.Path = at.real
		if answer, err = p.judge.Decide(q); err != nil || withheld(answer) && p.taskHas(t.Task.TID, q.Path) {
			return lets
		}
	}
	if abi.Errno(answer.Action.Data()) == abi.EROFS && onlyReads(t, row, at) {
		return lets
	}
	if answer.Lacks == policy.Execute && !at.info.Mode().IsRegular() || reached && p.crosses(t, row, i, at.real) {
		return lets // "noexec" concerns files alone
	}
	return answer
}

// crosses reports whether a file is to be moved or linked into another mount: that
// fails with EXDEV, and programs copy then.
func (p *prophet) crosses(t *gate.Trap, row *abi.Syscall, i int, real string) bool {
	from := i == firstPath(row)
	if !isAbout(row, "rename", "renameat", "renameat2") && !(isAbout(row, "link", "linkat") && from) {
		return false
	}
	for j := range row.Args {
		if j == i || row.Args[j].Kind != abi.KindPath {
			continue
		}
		if text, err := t.Path(j); err == nil {
			return p.judge.Apart(real, absolute(t, row, j, text))
		}
	}
	return false
}

// isLink reports whether a path names a link.
func isLink(name string) bool {
	var letter [1]byte
	n, err := syscall.Readlink(name, letter[:])
	return n > 0 && err == nil
}

// sends reports whether datagrams may go where a connection may not: nobody can
// tell what the socket is.
func (p *prophet) sends(q policy.Question) bool {
	answer, err := p.judge.Decide(policy.Question{Call: "sendto", Host: q.Host, Port: q.Port})
	return err == nil && answer.Action.Lets()
}

func whyOf(a policy.Answer) event.Why {
	why := event.Why{Text: a.Reason, Wall: a.Wall, Cure: a.Cure}
	if a.At != (policy.Origin{}) {
		why.Rule = a.At.String()
	}
	return why
}

// nowhere reports whether the caller finds no such file on the host either: it
// isn't there, or out of the user's reach.
func nowhere(name string) bool {
	_, err := os.Lstat(name)
	return err != nil
}

// taskHas reports whether a file is there as the task sees it, or can't be looked
// for.
func taskHas(tid int, name string) bool {
	_, err := os.Lstat("/proc/" + strconv.Itoa(tid) + "/root" + name)
	return !errors.Is(err, fs.ErrNotExist)
}

// registers are a call's arguments as a question has them.
func registers(row *abi.Syscall, values [6]uint64) []policy.Arg {
	args := make([]policy.Arg, len(row.Args))
	for i := range args {
		args[i] = policy.Arg{Name: strconv.Itoa(i), Value: policy.Operand("0x" + strconv.FormatUint(values[i], 16))}
	}
	return args
}

// absolute is a path argument seen from the root, by its text: links are not
// followed. Relative ones begin where the task is, or at the open folder before
// them.
func absolute(t *gate.Trap, row *abi.Syscall, i int, text string) string {
	if path.IsAbs(text) {
		return path.Clean(text)
	}
	folder := "cwd"
	if i > 0 && row.Args[i-1].Kind == abi.KindDirFD {
		const here = -100 // AT_FDCWD
		if fd := int32(t.Args[i-1]); fd != here {
			folder = "fd/" + strconv.Itoa(int(fd))
		}
	}
	base, err := os.Readlink("/proc/" + strconv.Itoa(t.Task.TID) + "/" + folder)
	if err != nil || !path.IsAbs(base) {
		return "" // a task that left, or no folder
	}
	return path.Join(base, text)
}

// destination is an internet address and its port, or 0.
func destination(t *gate.Trap, row *abi.Syscall, i int) (host string, port int) {
	text, ok := event.Memory{Bytes: copyAddress(t, row, i)}.Address()
	if !ok {
		return "", 0
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return "", 0 // a UNIX socket
	}
	return address.Addr().String(), int(address.Port())
}

// copyAddress has the taps see a socket address that a call names, and returns its
// bytes, or nil.
func copyAddress(t *gate.Trap, row *abi.Syscall, i int) []byte {
	const longest = 128 // struct sockaddr_storage
	arg := &row.Args[i]
	if arg.Dir != abi.In || arg.Len < 0 || t.Args[i] == 0 {
		return nil
	}
	copied, err := t.Bytes(i, int(min(uint32(t.Args[arg.Len]), longest)))
	if err != nil {
		return nil
	}
	return copied
}
