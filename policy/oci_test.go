//go:build linux

package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// profile is Moby's default profile, read naively: a rule's text against a
// call's name, architecture and registers.
type profile struct {
	rules  []*seccomp.Syscall
	caps   []string
	arch   string // the container's own, as the profile names it
	kernel seccomp.KernelVersion
}

func (p profile) allows(name string, args [6]uint64) bool {
	return slices.ContainsFunc(p.rules, func(r *seccomp.Syscall) bool {
		return r.Action == specs.ActAllow && slices.Contains(r.Names, name) && p.holds(r) &&
			!slices.ContainsFunc(r.Args, func(a specs.LinuxSeccompArg) bool { return !argHolds(a, args[a.Index]) })
	})
}

func (p profile) holds(r *seccomp.Syscall) bool {
	older := func(v *seccomp.KernelVersion) bool {
		return p.kernel.Kernel < v.Kernel || p.kernel.Kernel == v.Kernel && p.kernel.Major < v.Major
	}
	granted := func(c string) bool { return slices.Contains(p.caps, c) }
	if f := r.Includes; f != nil {
		if slices.ContainsFunc(f.Caps, func(c string) bool { return !granted(c) }) ||
			len(f.Arches) > 0 && !slices.Contains(f.Arches, p.arch) || f.MinKernel != nil && older(f.MinKernel) {
			return false
		}
	}
	if f := r.Excludes; f != nil {
		if slices.ContainsFunc(f.Caps, granted) || slices.Contains(f.Arches, p.arch) ||
			f.MinKernel != nil && !older(f.MinKernel) {
			return false
		}
	}
	return true
}

func argHolds(a specs.LinuxSeccompArg, v uint64) bool {
	switch a.Op {
	case specs.OpEqualTo:
		return v == a.Value
	case specs.OpNotEqual:
		return v != a.Value
	case specs.OpLessThan:
		return v < a.Value
	case specs.OpMaskedEqual:
		return v&a.Value == a.ValueTwo
	}
	panic("the profile has an operator this test does not know: " + a.Op)
}

// registers returns argument lists at which a rule for the call may change its
// mind: about each value that the profile compares with.
func (p profile) registers(name string) [][6]uint64 {
	lists := [][6]uint64{{}}
	for _, r := range p.rules {
		if !slices.Contains(r.Names, name) {
			continue
		}
		for _, a := range r.Args {
			for _, v := range []uint64{a.Value - 1, a.Value, a.Value + 1, a.Value | 1<<32, a.Value & -a.Value, a.ValueTwo, 1 << 63, ^uint64(0)} {
				var args [6]uint64
				args[a.Index] = v
				lists = append(lists, args)
			}
		}
	}
	return lists
}

func TestOCIDecidesAsMobysProfile(t *testing.T) {
	sets := map[string][]string{"no capability": nil}
	var all []string
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		sets[c.String()] = []string{c.String()}
		all = append(all, c.String())
	}
	sets["every capability"] = all
	for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
		for _, kernel := range []policy.Version{{Major: 4, Minor: 7}, {Major: 6, Minor: 1}} {
			for name, caps := range sets {
				t.Run(fmt.Sprintf("%s/%s/%s", arch, kernel, name), func(t *testing.T) {
					compareWithProfile(t, policy.Target{Arch: arch, Kernel: kernel}, caps)
				})
			}
		}
	}
}

func compareWithProfile(t *testing.T, target policy.Target, caps []string) {
	p, _ := policy.Preset("oci")
	for _, c := range caps {
		p.Capabilities = append(p.Capabilities, policy.Name{Text: c})
	}
	compiled, err := p.Filter(target)
	if err != nil {
		t.Fatal(err)
	}
	program, err := compiled.Filter.Compile()
	if err != nil {
		t.Fatal(err)
	}
	want := profile{
		rules: seccomp.DefaultProfile().Syscalls, caps: caps, arch: target.Arch.String(),
		kernel: seccomp.KernelVersion{Kernel: uint64(target.Kernel.Major), Major: uint64(target.Kernel.Minor)},
	}
	for _, arch := range append([]abi.Arch{target.Arch}, target.Arch.Companions()...) {
		for nr, call := range arch.Syscalls() {
			for _, args := range want.registers(call.Name) {
				action, _, err := program.Run(filter.DataOf(abi.Call{Arch: arch, Nr: nr, Args: args}))
				if got, want := action == filter.ActionAllow, want.allows(call.Name, args); err != nil || got != want {
					t.Errorf("%s %s%#x: allowed = %v, %v (%v); the profile has %v", arch, call.Name, args, got, err, action, want)
				}
			}
		}
	}
}
