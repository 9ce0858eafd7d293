package guard

import (
	"context"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Every call is refused as the program itself would, and no other stops.
func TestRefuse(t *testing.T) {
	call := func(name string) abi.Call {
		number, ok := abi.AMD64.Number(name)
		if !ok {
			t.Fatalf("no call %s", name)
		}
		return abi.Call{Arch: abi.AMD64, Nr: number}
	}
	rule := func(name string, action filter.Action) filter.Rule {
		return filter.Rule{Nr: call(name).Nr, Then: action}
	}
	program, err := (&filter.Filter{
		Tables: []filter.Table{{Arch: abi.AMD64, Default: filter.Errno(abi.ENOSYS), Rules: []filter.Rule{
			rule("read", filter.ActionAllow),
			rule("mount", filter.Errno(abi.EPERM)),
			rule("fsync", filter.Errno(0)),
			rule("reboot", filter.ActionKillProcess),
		}}},
		Foreign: filter.ActionKillProcess,
	}).Compile()
	if err != nil {
		t.Fatal(err)
	}
	preset, _ := policy.Preset("default")
	judge, err := preset.Judge(policy.Target{Arch: abi.AMD64})
	if err != nil {
		t.Fatal(err)
	}
	stopping, handler := Refuse(program, abi.AMD64, judge)
	for _, c := range []struct {
		name string
		want filter.Action
		sees abi.Errno
	}{
		{"read", filter.ActionAllow, abi.ENOSYS}, // asked all the same, the handler refuses
		{"mount", filter.ActionNotify, abi.EPERM},
		{"keyctl", filter.ActionNotify, abi.ENOSYS},
		{"fsync", filter.Errno(0), abi.ENOSYS},
		{"reboot", filter.ActionKillProcess, abi.ENOSYS},
	} {
		if got, _, err := stopping.Run(filter.DataOf(call(c.name))); got != c.want || err != nil {
			t.Errorf("the program makes of %s %v, %v; want %v", c.name, got, err, c.want)
		}
		verdict := handler.Handle(context.Background(), &gate.Trap{Call: call(c.name)})
		if file, _ := verdict.File(); verdict.Errno() != c.sees || file != nil || verdict.Outcome().String() != "refused" {
			t.Errorf("the handler makes of %s %v %v; want refused, %v", c.name, verdict.Outcome(), verdict.Errno(), c.sees)
		}
	}
}
