package policy

import (
	"fmt"
	"net/netip"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Question asks what would become of one call.
type Question struct {
	Call string // the call's name
	Args []Arg  // arguments by name or index; those left out are zero
	Path string // the file, for calls on files: absolute, or below "~" or "."
	Port int    // the TCP port, for connect and bind, or the UDP port, for what sends datagrams; 0 when not asked
	Host string // the name or the address there; "" when not asked
}

// Answer is what the program would see of the call, and why.
type Answer struct {
	Action Action // allow, kill, an errno …: the outcome of all walls together
	Wall   string // what decided: WallSeccomp, WallFiles …; empty when nothing stood in the way
	Reason string // one line, without the origin
	At     Origin // the line that decided; zero when nothing was written about it
	Cure   string // the smallest addition that would allow the call, as YAML; empty when it is allowed
	Lacks  Access // Execute where a file may be seen and not executed, else nothing
}

// The walls that an answer may name.
const (
	WallSeccomp      = "seccomp"
	WallFiles        = "files"
	WallPatterns     = "patterns"
	WallNetwork      = "network"
	WallLandlock     = "landlock"
	WallCapabilities = "capabilities"
)

// Decide says what would become of a call, without a kernel: by the seccomp
// rules first, then by the file tree and the network that the jail builds. It
// takes all walls as built, optional files as present, and says nothing of what
// the kernel itself refuses (permissions of files, a missing file).
func (p *Policy) Decide(t Target, q Question) (Answer, error) {
	j, err := p.Judge(t)
	if err != nil {
		return Answer{}, err
	}
	return j.Decide(q)
}

// Judge is a policy made ready to answer many questions.
type Judge struct {
	// Names, if not nil, tells what an address of the program's own network stands
	// for: a name, or "localhost" for what is always there.
	Names func(netip.Addr) (name string, stands bool)

	policy   *Policy
	target   Target
	compiled *Compiled
	mounts   []Mount
	patterns *Patterns
	sockets  *Sockets
}

// Judge returns what answers questions about the policy in force on a target. The
// error is that of a policy that can't be compiled.
func (p *Policy) Judge(t Target) (*Judge, error) {
	compiled, err := p.Filter(t)
	if err != nil {
		return nil, err
	}
	patterns, err := p.Patterns(t, nil)
	if err != nil {
		return nil, err
	}
	sockets, err := p.Sockets(t, nil)
	if err != nil {
		return nil, err
	}
	return &Judge{policy: p, target: t.complete(p), compiled: compiled, mounts: p.Mounts(t), patterns: patterns, sockets: sockets}, nil
}

// Decide answers a question as Policy.Decide does. It changes nothing, so that
// several may be asked at once.
func (j *Judge) Decide(q Question) (Answer, error) {
	call, number, err := j.lookup(q.Call)
	if err != nil {
		return Answer{}, err
	}
	args, err := q.registers(call, j.target.Arch)
	if err != nil {
		return Answer{}, err
	}
	if q.Path != "" {
		if err := checkPath(call, q.Path); err != nil {
			return Answer{}, err
		}
	}
	a := j.syscall(q, call, number, args)
	if !a.Action.Lets() {
		return a, nil
	}
	if q.Path != "" {
		b := j.file(q, call, args)
		if !b.Action.Lets() {
			return j.withSocketCure(b, q), nil
		}
		if b, refused := j.unixSocket(q); refused {
			return b, nil
		}
		if b.Reason != "" {
			a.Reason, a.At = b.Reason, b.At
		}
	}
	if isPortCall(q.Call) {
		if b := j.network(q); !b.Action.Lets() {
			return b, nil
		}
	}
	return a, nil
}

// lookup finds a call on the target's architecture.
func (j *Judge) lookup(name string) (*abi.Syscall, abi.Sysno, error) {
	if call, number, ok := j.target.Arch.Find(name); ok {
		return call, number, nil
	}
	if isCall(name) {
		return nil, 0, fmt.Errorf("%s has no call %q", j.target.Arch, name)
	}
	return nil, 0, fmt.Errorf("no call %q: %s", name, suggestCall(name))
}

// registers returns the call's arguments as the kernel would get them.
func (q *Question) registers(call *abi.Syscall, arch abi.Arch) (args [6]uint64, err error) {
	for _, a := range q.Args {
		i, err := argumentIndex(call, a.Name)
		if err != nil {
			return args, err
		}
		if args[i], err = a.Value.value(arch, 64); err != nil {
			return args, fmt.Errorf("%s of %s: %w", a.Name, call.Name, err)
		}
	}
	return args, nil
}

// syscall answers by the seccomp rules alone.
func (j *Judge) syscall(q Question, call *abi.Syscall, number abi.Sysno, args [6]uint64) Answer {
	data := filter.DataOf(abi.Call{Arch: j.target.Arch, Nr: number, Args: args})
	action, table, rule := j.compiled.Filter.Decide(data)
	a := Answer{Action: Do(action), Wall: WallSeccomp}
	if rule < 0 {
		a.At, a.Reason = j.whyMissing(call)
		return j.withCure(a, q, call, number)
	}
	a.At = j.compiled.Origins[table][rule]
	switch {
	case a.Action.Lets():
		a.Wall, a.Reason = "", call.Name+" is allowed"
	case a.At == Origin{}:
		a.Reason = "no rule allows " + j.asRulesSeeIt(call, number)
	default:
		a.Reason = "a rule refuses " + j.asRulesSeeIt(call, number)
	}
	if a.At == (Origin{}) {
		a.At = j.policy.Syscalls.Otherwise.At
	}
	return j.withCure(a, q, call, number)
}

// asRulesSeeIt names a call, and that there are rules for some arguments of it.
func (j *Judge) asRulesSeeIt(call *abi.Syscall, number abi.Sysno) string {
	for i := range call.Args {
		if j.looksAt(number, i) {
			return call.Name + " with these arguments"
		}
	}
	return call.Name
}

// whyMissing says why no rule decides a call, so that it seems to be missing.
func (j *Judge) whyMissing(call *abi.Syscall) (Origin, string) {
	baseline := j.policy.Baseline
	switch since := sinceOf(call); {
	case !hasHandler(call):
		return Origin{}, fmt.Sprintf("no kernel has %s", call.Name)
	case !baseline.IsZero() && !baseline.AtLeast(since):
		return baseline.At, fmt.Sprintf("%s came with Linux %s, after the baseline %s, and no rule names it", call.Name, since, baseline)
	}
	return Origin{}, fmt.Sprintf("%s has its arguments behind a pointer, where the rules cannot see them", call.Name)
}
