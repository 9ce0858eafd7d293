package probe

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// The walls that hold even without namespaces.
var (
	SeccompFilter = &Feature{
		Name: "seccomp filter", Group: Filter, Since: "Linux 3.17", Full: true,
		For:   "refuses system calls",
		Lost:  "callgate run starts nothing without it",
		Probe: probeSeccompFilter, Cure: cureFilter,
	}
	SeccompActions = &Feature{
		Name: "seccomp actions", Group: Filter, Since: "Linux 4.14",
		For:   "answers a refused call in the way the policy says",
		Lost:  "a policy that asks for an action the kernel does not know kills the program instead",
		Probe: probeSeccompActions, Cure: cureFilter,
	}
	SeccompNotify = &Feature{
		Name: "seccomp notification", Group: Filter, Since: "Linux 5.0",
		For:   "hands calls that a filter can't decide to a supervisor",
		Lost:  "rules that need a supervisor: paths by pattern, addresses, questions",
		Probe: func() Finding { return found(sys.HasNotify()) }, Cure: cureFilter,
	}
	KillableWait = &Feature{
		Name: "killable notification wait", Group: Filter, Since: "Linux 5.19",
		For:   "lets a supervisor's answer reach a program that is sent signals",
		Lost:  "a program that is often signalled, as Go's are, repeats its calls",
		Probe: func() Finding { return found(sys.HasKillableWait()) }, Cure: cureFilter,
	}
	LandlockRules = &Feature{
		Name: "landlock", Group: Landlock, Since: "Linux 5.13", Full: true,
		For:   "a second wall around files and ports, which needs no namespaces",
		Lost:  "a run is refused, unless the wall \"landlock\" is optional; namespaces alone bound files then, and nothing bounds ports: a policy that lists some needs the wall \"ports\" optional, too",
		Probe: probeLandlock, Cure: cureLandlock,
	}
)

func probeSeccompFilter() Finding {
	if err := sys.HasFilter(); err != nil {
		return found(err)
	}
	if n := Here().Filters; n > 0 {
		return Finding{Detail: fmt.Sprintf("inside %d or more others", n)}
	}
	return Finding{}
}

// seccompActions are the SECCOMP_RET_* values of include/uapi/linux/seccomp.h,
// the newer ones last.
var seccompActions = [...]struct {
	name  string
	value uint32
}{
	{"kill thread", 0x00000000},
	{"trap", 0x00030000},
	{"errno", 0x00050000},
	{"trace", 0x7ff00000},
	{"allow", 0x7fff0000},
	{"kill process", 0x80000000},
	{"log", 0x7ffc0000},
	{"notify", 0x7fc00000},
}

func probeSeccompActions() Finding {
	var lacks []string
	for _, action := range seccompActions {
		if err := sys.SeccompActionKnown(action.value); err == syscall.EOPNOTSUPP {
			lacks = append(lacks, action.name)
		} else if err != nil {
			return found(err) // before Linux 4.14 there was no way to ask
		}
	}
	return Finding{
		Detail: fmt.Sprintf("%d of %d", len(seccompActions)-len(lacks), len(seccompActions)),
		Lacks:  strings.Join(lacks, ", "),
	}
}

// landlockAdds says what each ABI added that callgate uses.
var landlockAdds = [...]struct {
	abi  int
	what string
}{
	{2, "moving files between folders"},
	{3, "truncating files"},
	{4, "TCP ports"},
	{5, "device ioctls"},
	{6, "abstract sockets and signals"},
	{9, "named sockets"},
	{10, "UDP ports"},
}

func probeLandlock() Finding {
	abi, err := sys.HasLandlock()
	if err != nil {
		return found(err)
	}
	return landlockFinding(abi)
}

func landlockFinding(abi int) Finding {
	finding := Finding{Detail: fmt.Sprintf("ABI %d", abi)}
	var lacks []string
	for _, add := range landlockAdds {
		if abi < add.abi {
			lacks = append(lacks, add.what)
		}
	}
	if len(lacks) > 0 {
		finding.Lacks = "rules for " + strings.Join(lacks, ", ")
	}
	return finding
}

// What a program with a terminal needs.
var (
	OwnTerminals = &Feature{
		Name: "own /dev/pts", Group: Terminal,
		For:   "terminals of the program's own, out of reach of the user's",
		Lost:  "programs that open a terminal themselves, as script and tmux do",
		Probe: func() Finding { return inside(sys.NewMounts, mountDevpts) }, Cure: cureNamespace,
	}
	NoTIOCSTI = &Feature{
		Name: "TIOCSTI refused", Group: Terminal, Since: "Linux 6.2",
		For:   "keeps every program on this machine from typing into its user's terminal",
		Probe: probeTIOCSTI, Cure: cureTIOCSTI,
	}
)

func probeTIOCSTI() Finding { return findTIOCSTI(Here()) }

// findTIOCSTI never says missing: callgate refuses the call by a session of the
// program's own and by its filter.
func findTIOCSTI(here Surroundings) Finding {
	if here.LegacyTIOCSTI == "0" {
		return Finding{}
	}
	return Finding{Lacks: "only callgate refuses it: by session and by filter"}
}

func cureTIOCSTI(_ error, here Surroundings) string {
	if here.LegacyTIOCSTI == "" {
		return "Linux 6.2 or newer"
	}
	return "sysctl -w dev.tty.legacy_tiocsti=0"
}
