package policy

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// FuzzDecide holds that the seccomp part of Decide is what the kernel's program
// returns, and that the rule it names is one about the call.
func FuzzDecide(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint16(56), uint64(0x10000000), uint64(0), uint64(0))
	f.Add(uint8(2), uint8(0), uint16(16), uint64(0), uint64(0x100005412), uint64(0))
	f.Add(uint8(4), uint8(1), uint16(198), uint64(16), uint64(3), uint64(9))
	f.Add(uint8(6), uint8(2), uint16(198), uint64(1)<<63, uint64(3), uint64(9))
	f.Fuzz(func(t *testing.T, preset, arch uint8, nr uint16, a0, a1, a2 uint64) {
		p := &presets[int(preset)%len(presets)]
		p, _ = Preset(p.Name)
		target := Target{Arch: abi.AMD64 + abi.Arch(arch%3)}
		call, ok := target.Arch.Syscall(abi.Sysno(nr % 512))
		if !ok {
			return
		}
		j, program := compiled(t, p, target)
		args := [6]uint64{a0, a1, a2}
		q := Question{Call: call.Name}
		for i := range min(len(call.Args), 3) {
			q.Args = append(q.Args, Arg{Name: strconv.Itoa(i), Value: Operand(fmt.Sprintf("%#x", args[i]))})
		}
		for i := len(call.Args); i < 3; i++ {
			args[i] = 0
		}
		number, _ := target.Arch.Number(call.Name)
		got := j.syscall(q, call, number, args)
		want, _, err := program.Run(filter.DataOf(abi.Call{Arch: target.Arch, Nr: number, Args: args}))
		if err != nil || got.Action.Action != want {
			t.Errorf("%s %s%#x under %s = %v; the program returns %v, %v", target.Arch, call.Name, args, p.Name, got.Action, want, err)
		}
		if at := got.At; at != (Origin{}) && slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool { return r.At == at }) &&
			!slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool { return r.At == at && r.covers(call.Name) && r.Then == got.Action }) {
			t.Errorf("%s under %s is decided by %s, which is not about it", call.Name, p.Name, at)
		}
		if got.Action.Lets() == (got.Cure != "") && got.At != p.Network.Connect.At && got.At != p.Network.Bind.At {
			t.Errorf("%s under %s: %s with the cure %q", call.Name, p.Name, got.Action, got.Cure)
		}
	})
}

func compiled(t *testing.T, p *Policy, target Target) (*Judge, filter.Program) {
	t.Helper()
	j, err := p.Judge(target)
	if err != nil {
		t.Fatal(err)
	}
	program, err := j.compiled.Filter.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return j, program
}

func TestZeroPolicyRefuses(t *testing.T) {
	for _, call := range []string{"read", "openat", "exit_group", "clone3"} {
		a, err := new(Policy).Decide(Target{Arch: abi.AMD64}, Question{Call: call})
		if err != nil || a.Action.String() != "EPERM" {
			t.Errorf("Decide(%s) of the zero policy = %v, %v; want EPERM", call, a.Action, err)
		}
	}
	compiled, err := new(Policy).Filter(Target{Arch: abi.AMD64})
	if err != nil || compiled.Filter.Foreign != filter.ActionKillProcess {
		t.Errorf("foreign calls of the zero policy: %v, %v; want kill", compiled.Filter.Foreign, err)
	}
}

func TestResultSays(t *testing.T) {
	p := &Policy{Tests: []Test{
		{Call: "read", Then: Do(errnoAction(abi.EPERM)), At: Origin{File: "mail.yaml", Line: 3}},
		{Call: "read", Flags: "O_RDONLY", Then: Do(filter.ActionAllow), At: Origin{File: "mail.yaml", Line: 4}},
		{Call: "openat", Path: "/x", Flags: "O_RDWR", Then: Do(filter.ActionAllow), At: Origin{File: "mail.yaml", Line: 5}},
	}}
	results, err := p.RunTests(Target{Arch: abi.AMD64})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mail.yaml:3: read: EPERM",
		`mail.yaml:4: read O_RDONLY: read has no argument "flags": it takes fd (0), buf (1) and count (2)`,
		"mail.yaml:5: openat /x O_RDWR: EPERM; want allow (no rule allows openat)",
	}
	for i, r := range results {
		if r.String() != want[i] || r.Passed() != (i == 0) {
			t.Errorf("result %d = %q, passed %v; want %q", i, r.String(), r.Passed(), want[i])
		}
	}
}
