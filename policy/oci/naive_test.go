package oci

import (
	"slices"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// naive answers straight from a profile's text, as runc and libseccomp read it.
type naive struct {
	profile *Profile
	entries map[string][]Syscall // by name, in order
	caps    []string
	host    string
	kernel  policy.Version
}

func newNaive(p *Profile, c container) naive {
	n := naive{p, make(map[string][]Syscall), c.caps, c.arch.String(), c.kernel}
	for _, s := range p.Syscalls {
		names := s.Names
		if s.Name != "" {
			names = []string{s.Name}
		}
		for _, name := range names {
			n.entries[name] = append(n.entries[name], s)
		}
	}
	return n
}

func (n naive) decide(t *testing.T, name string, args [6]uint64) filter.Action {
	t.Helper()
	otherwise := naiveAction(t, n.profile.DefaultAction, n.profile.DefaultErrnoRet)
	var partial []filter.Action
	for _, s := range n.entries[name] {
		then := naiveAction(t, s.Action, s.ErrnoRet)
		if then == otherwise || !n.applies(s) {
			continue
		}
		if len(s.Args) == 0 {
			return then
		}
		if argsHold(t, s.Args, args) {
			partial = append(partial, then)
		}
	}
	return append(partial, otherwise)[0]
}

// naiveAction is SECCOMP_RET_* with its data, as libseccomp has it for the name.
func naiveAction(t *testing.T, name string, errno *uint64) filter.Action {
	t.Helper()
	data := filter.Action(1) // EPERM
	if errno != nil {
		data = filter.Action(*errno)
	}
	switch name {
	case "SCMP_ACT_ALLOW":
		return 0x7fff0000
	case "SCMP_ACT_ERRNO":
		return 0x00050000 | data
	case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD":
		return 0
	case "SCMP_ACT_KILL_PROCESS":
		return 0x80000000
	case "SCMP_ACT_LOG":
		return 0x7ffc0000
	case "SCMP_ACT_NOTIFY":
		return 0x7fc00000
	case "SCMP_ACT_TRACE":
		return 0x7ff00000 | data
	case "SCMP_ACT_TRAP":
		return 0x00030000
	}
	t.Fatalf("no action %q", name)
	return 0
}

func (n naive) applies(s Syscall) bool {
	newer := func(text string) bool {
		var v policy.Version
		return v.UnmarshalText([]byte(text)) == nil && n.kernel.AtLeast(v)
	}
	if f := s.Includes; f != nil {
		for _, c := range f.Caps {
			if !slices.Contains(n.caps, c) {
				return false
			}
		}
		if len(f.Arches) > 0 && !slices.Contains(f.Arches, n.host) || f.MinKernel != "" && !newer(f.MinKernel) {
			return false
		}
	}
	if f := s.Excludes; f != nil {
		for _, c := range f.Caps {
			if slices.Contains(n.caps, c) {
				return false
			}
		}
		if slices.Contains(f.Arches, n.host) || f.MinKernel != "" && newer(f.MinKernel) {
			return false
		}
	}
	return true
}

func argsHold(t *testing.T, conds []Arg, args [6]uint64) bool {
	t.Helper()
	held, indices := 0, make(map[uint64]bool)
	for _, c := range conds {
		indices[c.Index] = true
		if argHolds(t, c, args[c.Index]) {
			held++
		}
	}
	if len(indices) < len(conds) {
		return held > 0
	}
	return held == len(conds)
}

func argHolds(t *testing.T, c Arg, v uint64) bool {
	t.Helper()
	switch c.Op {
	case "SCMP_CMP_NE":
		return v != c.Value
	case "SCMP_CMP_LT":
		return v < c.Value
	case "SCMP_CMP_LE":
		return v <= c.Value
	case "SCMP_CMP_EQ":
		return v == c.Value
	case "SCMP_CMP_GE":
		return v >= c.Value
	case "SCMP_CMP_GT":
		return v > c.Value
	case "SCMP_CMP_MASKED_EQ":
		return v&c.Value == c.ValueTwo
	}
	t.Fatalf("no comparison %q", c.Op)
	return false
}

// probes returns argument lists at which the profile may change its mind about
// a call: about each value that it compares with, in one register and in two.
func (n naive) probes(name string) [][6]uint64 {
	lists := [][6]uint64{{}}
	for _, s := range n.entries[name] {
		for _, a := range s.Args {
			for _, v := range []uint64{a.Value - 1, a.Value, a.Value + 1, a.Value | 1<<32, a.Value & -a.Value, a.ValueTwo, 1 << 63, ^uint64(0)} {
				var args [6]uint64
				args[a.Index] = v
				lists = append(lists, args)
				for _, b := range s.Args {
					if b.Index != a.Index {
						args[b.Index] = b.Value
						lists = append(lists, args)
						args[b.Index] = 0
					}
				}
			}
		}
	}
	return lists
}

// container is one of those that a profile is tried for.
type container struct {
	caps   []string
	kernel policy.Version
	arch   abi.Arch
}

// containers returns one with no capability and one with all on each machine,
// one with each on amd64, and one on a kernel older than the profiles ask for.
func containers() []container {
	var all []string
	sets := [][]string{nil}
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		all = append(all, c.String())
		sets = append(sets, []string{c.String()})
	}
	kernel := policy.Version{Major: 6, Minor: 1}
	var out []container
	for _, caps := range append(sets, all) {
		out = append(out, container{caps, kernel, abi.AMD64})
	}
	for _, arch := range []abi.Arch{abi.ARM64, abi.RISCV64} {
		out = append(out, container{nil, kernel, arch}, container{all, kernel, arch})
	}
	return append(out, container{nil, policy.Version{Major: 4, Minor: 7}, abi.AMD64})
}

// compare compares what a policy becomes with the profile itself.
func compare(t *testing.T, p *policy.Policy, profile *Profile, c container) {
	t.Helper()
	granted := *p
	for _, name := range c.caps {
		granted.Capabilities = append(granted.Capabilities, policy.Name{Text: name})
	}
	compiled, err := granted.Filter(policy.Target{Arch: c.arch, Kernel: c.kernel})
	if err != nil {
		t.Fatalf("Filter for %v = %v", c, err)
	}
	program, err := compiled.Filter.Compile()
	if err != nil {
		t.Fatalf("Compile for %v = %v", c, err)
	}
	want := newNaive(profile, c)
	for _, table := range compiled.Filter.Tables {
		for nr, call := range table.Arch.Syscalls() {
			if call.Since == (abi.Version{}) {
				continue // a number that was only ever reserved: ENOSYS everywhere
			}
			for _, args := range want.probes(call.Name) {
				action, _, err := program.Run(filter.DataOf(abi.Call{Arch: table.Arch, Nr: nr, Args: args}))
				if want := want.decide(t, call.Name, args); err != nil || action != want {
					t.Errorf("%v: %s's %s%#x = %v, %v; the profile has %v", c, table.Arch, call.Name, args, action, err, want)
				}
			}
		}
	}
}
