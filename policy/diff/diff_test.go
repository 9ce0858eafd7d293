package diff_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/diff"
	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := document.Load(func(name string) ([]byte, error) {
		if name != "p.yaml" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}, "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicies(t *testing.T) {
	tests := []struct{ name, a, b, want string }{
		{"equal", "extends: [agent]", "extends: [agent]", ""},
		{
			"a call and its arguments",
			"syscalls: {rules: [{then: allow, calls: [ioctl, mount]}]}",
			"syscalls: {rules: [{then: EACCES, calls: [ioctl], when: [{arg: cmd, in: [TIOCSTI, TIOCLINUX]}]}, {then: allow, calls: [ioctl]}]}",
			"narrower syscalls ioctl (cmd in {TIOCSTI, TIOCLINUX}): allow -> EACCES\n" +
				"narrower syscalls mount (): allow -> EPERM\n",
		},
		{
			"the rest of conditions",
			"syscalls: {rules: [{then: allow, calls: [clone], when: [{arg: flags, mask: CLONE_NEWUSER, equals: 0}]}]}",
			"syscalls: {rules: [{then: allow, calls: [clone]}, {then: ENOSYS, calls: [clone3]}]}",
			"wider syscalls clone (otherwise): EPERM -> allow\n",
		},
		{
			"another errno",
			"syscalls: {otherwise: EPERM, rules: [{then: EACCES, calls: [reboot]}]}",
			"syscalls: {otherwise: EPERM, rules: [{then: kill, calls: [reboot]}]}",
			"other syscalls reboot (): EACCES -> kill\n",
		},
		{
			"a numbering",
			"syscalls: {foreign: kill}", "syscalls: {architectures: [i386]}",
			"wider syscalls every i386 call (): kill -> by the rules\n",
		},
		{
			"files",
			"files: {ro: [/usr, /etc], hidden: [/etc/shadow], rw: [.]}",
			"files: {ro: [/etc], exec: [/usr], rw: [., ./src], tmp: none}",
			"wider files /etc/shadow (): hidden -> read\n" +
				"narrower files /tmp (): read, write (private) -> not there\n" +
				"wider files /usr (): read -> read, execute\n" +
				"narrower files /var/tmp (): read, write (private) -> not there\n",
		},
		{
			"network",
			"network: {mode: host, connect: [80, 443]}", "network: {connect: [443], bind: []}",
			"narrower network mode (): host -> none\n" +
				"narrower network connect (): 443, 80 -> 443\n" +
				"narrower network bind (): any -> none\n",
		},
		{
			"a relay",
			"network: {mode: host, connect: [443]}", `network: {mode: relay, connect: ["github.com:443", 443], publish: ["8080:80"]}`,
			"narrower network mode (): host -> relay\n" +
				"wider network connect (): 443 -> 443, github.com:443\n" +
				"wider network publish 8080:80 (): not listed -> listed\n",
		},
		{
			"a relay to nowhere",
			"{}", `network: {mode: relay}`,
			"wider network mode (): none -> relay\n",
		},
		{
			"the rest",
			"limits: {memory: 1G, rlimits: {nofile: 10, core: 0}}\nenvironment: {keep: [PATH], set: {A: b}}\ncapabilities: [CAP_KILL]",
			"limits: {memory: 2G, pids: 5, rlimits: {nofile: 10:20}}\nenvironment: {drop: [TOKEN]}\ndescriptors: [0, 1, 2, 3]\nwalls: {optional: [cgroup]}",
			"narrower capabilities CAP_KILL (): listed -> not listed\n" +
				"wider limits memory (): 1G -> 2G\n" +
				"narrower limits pids (): none -> 5\n" +
				"wider limits rlimits core (): 0 -> none\n" +
				"wider limits rlimits nofile (): 10 -> 10:20\n" +
				"narrower environment keep PATH (): listed -> not listed\n" +
				"narrower environment drop TOKEN (): not listed -> listed\n" +
				"other environment set A=b (): listed -> not listed\n" +
				"wider descriptors 3 (): not listed -> listed\n" +
				"wider walls optional cgroup (): not listed -> listed\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changes, err := diff.Policies(load(t, test.a), load(t, test.b), policy.Target{Arch: abi.AMD64})
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, c := range changes {
				fmt.Fprintf(&got, "%s %s %s (%s): %s -> %s\n", c.Sense, c.Section, c.What, c.Where, c.From, c.To)
			}
			if d := cmp.Diff(test.want, got.String()); d != "" {
				t.Errorf("Policies (-want +got):\n%s", d)
			}
		})
	}
}

// TestPoliciesMissesNoCall asks both filters about random arguments.
func TestPoliciesMissesNoCall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	target := policy.Target{Arch: abi.AMD64}
	for _, first := range policy.Presets() {
		for _, second := range policy.Presets() {
			a, _ := policy.Preset(first)
			b, _ := policy.Preset(second)
			changes, err := diff.Policies(a, b, target)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := a.Filter(target)
			y, _ := b.Filter(target)
			for nr, call := range abi.AMD64.Syscalls() {
				differ := false
				for range 30 {
					data := filter.DataOf(abi.Call{Arch: abi.AMD64, Nr: nr, Args: [6]uint64{r.Uint64() & 0xff, 0x5400 | r.Uint64()&0x1f, r.Uint64() & 0x1ff}})
					from, _, _ := x.Filter.Decide(data)
					to, _, _ := y.Filter.Decide(data)
					differ = differ || from != to
				}
				told := slices.ContainsFunc(changes, func(c diff.Change) bool { return c.Section == "syscalls" && c.What == call.Name })
				if differ && !told {
					t.Errorf("%s and %s differ about %s, and Policies does not say so", first, second, call.Name)
				}
				if first == second && told {
					t.Errorf("%s differs from itself about %s", first, call.Name)
				}
			}
		}
	}
}
