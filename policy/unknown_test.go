package policy

import (
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// machineRule is a policy of one rule for the machines and names given.
func machineRule(q Requirement, calls ...string) *Policy {
	r := Rule{Then: Do(filter.ActionAllow), If: q}
	for _, c := range calls {
		r.Calls = append(r.Calls, Name{Text: c})
	}
	return &Policy{Syscalls: Syscalls{Architectures: []Name{{Text: "i386"}}, Rules: []Rule{r}}}
}

func TestQuestionMarkExcusesWhatIsUnknown(t *testing.T) {
	p := machineRule(Requirement{}, "?read", "?no_such_call")
	if err := p.Check(); err != nil {
		t.Errorf("Check = %v; want none", err)
	}
	a, err := p.Decide(Target{Arch: abi.AMD64}, Question{Call: "read"})
	if err != nil || !a.Action.Lets() {
		t.Errorf("read by the rule for ?read = %v, %v; want allow", a.Action, err)
	}
	if err := machineRule(Requirement{}, "no_such_call").Check(); err == nil {
		t.Error("Check of an unknown call without '?' = nil; want an error")
	}
	q := Requirement{Machines: []Name{{Text: "?s390x"}}, Capabilities: []Name{{Text: "?CAP_NEW"}}}
	if err := machineRule(q, "read").Check(); err != nil {
		t.Errorf("Check of excused words under if = %v; want none", err)
	}
}

func TestMachinesAreNotNumberings(t *testing.T) {
	tests := []struct {
		machine string
		lets    bool
	}{{"amd64", true}, {"i386", false}, {"?s390x", false}}
	for _, test := range tests {
		p := machineRule(Requirement{Machines: []Name{{Text: test.machine}}}, "read")
		c, err := p.Filter(Target{Arch: abi.AMD64})
		if err != nil {
			t.Fatal(err)
		}
		nr, _ := abi.I386.Number("read")
		action, _, _ := c.Filter.Decide(filter.DataOf(abi.Call{Arch: abi.I386, Nr: nr}))
		if got := Do(action).Lets(); got != test.lets {
			t.Errorf("i386's read, on amd64, by a rule for machine %s: allowed = %v; want %v", test.machine, got, test.lets)
		}
		p.Syscalls.Rules[0].If, p.Syscalls.Rules[0].Unless = Requirement{}, p.Syscalls.Rules[0].If
		if c, err = p.Filter(Target{Arch: abi.AMD64}); err != nil {
			t.Fatal(err)
		}
		action, _, _ = c.Filter.Decide(filter.DataOf(abi.Call{Arch: abi.I386, Nr: nr}))
		if got := Do(action).Lets(); got == test.lets {
			t.Errorf("unless machine %s: allowed = %v; want %v", test.machine, got, !test.lets)
		}
	}
}
