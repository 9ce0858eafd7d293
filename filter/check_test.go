package filter

import (
	"errors"
	"testing"

	"github.com/callgate/callgate/abi"
)

func TestFilterCheck(t *testing.T) {
	one := func(arch abi.Arch, rules ...Rule) Filter {
		return Filter{Tables: []Table{{Arch: arch, Rules: rules}}}
	}
	both := []Cond{{Op: Equal, Values: []uint64{1}}, {Op: Equal, Values: []uint64{2}}}
	masks := []Cond{
		{Op: MaskedEqual, Mask: 6, Values: []uint64{2}},
		{Op: MaskedEqual, Mask: 3, Values: []uint64{1}},
	}
	tests := []struct {
		name   string
		filter Filter
		want   string
	}{
		{"foreign", Filter{Foreign: ActionAllow + 1}, "action for foreign architectures: action allow takes no data, got 1"},
		{"no architecture", one(0), "none table: architecture 0 is unknown"},
		{
			"twice",
			Filter{Tables: []Table{{Arch: abi.AMD64}, {Arch: abi.AMD64}}},
			"amd64 table: table 0 is of the same architecture: join their rules",
		},
		{
			"default",
			Filter{Tables: []Table{{Arch: abi.ARM64, Default: Errno(5000)}}},
			"arm64 table: errno 5000: the kernel passes on at most 4095",
		},
		{
			"x32 number", one(abi.AMD64, Rule{Nr: abi.X32Bit}),
			"amd64 rule 0 (call 1073741824): number 0x40000000: amd64 numbers end below 0x40000000, where x32 starts",
		},
		{"amd64 number", one(abi.X32, Rule{Nr: 1}), "x32 rule 0 (call 1): number 0x1: x32 numbers start at 0x40000000"},
		{"no call", one(abi.ARM64, Rule{Nr: ^abi.Sysno(0)}), "arm64 rule 0 (call 4294967295): number -1 is no call: the default decides it"},
		{"action", one(abi.AMD64, Rule{}, Rule{Nr: 257, Then: 0x10000}), "amd64 rule 1 (openat (257)): action 0x00010000 is unknown"},
		{
			"condition", one(abi.AMD64, Rule{Nr: 257, When: []Cond{{Op: Equal, Values: []uint64{1}}, {Op: Equal, Arg: 7}}}),
			"amd64 rule 0 (openat (257)): condition 1: argument 7: a call has arguments 0 to 5",
		},
		{
			"contradiction", one(abi.AMD64, Rule{Nr: 257, When: both}),
			"amd64 rule 0 (openat (257)): its conditions exclude each other: it would never match",
		},
		{
			"masks", one(abi.AMD64, Rule{Nr: 257, When: masks}),
			"amd64 rule 0 (openat (257)): its conditions exclude each other: it would never match",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.filter.Check()
			if err == nil || err.Error() != test.want {
				t.Errorf("Check() = %v; want %q", err, test.want)
			}
			if _, compiled := test.filter.Compile(); compiled == nil || compiled.Error() != err.Error() {
				t.Errorf("Compile() = %v; want the same error as Check", compiled)
			}
		})
	}
	var rule *RuleError
	err := (&Filter{Tables: []Table{{Arch: abi.AMD64}, {Arch: abi.ARM64, Rules: []Rule{{Nr: 3}, {Nr: 5, When: both[:1], Then: 1 << 16}}}}}).Check()
	if !errors.As(err, &rule) || rule.Table != 1 || rule.Rule != 1 || rule.Cond != -1 || rule.Nr != 5 {
		t.Errorf("Check() = %#v; want a RuleError about rule 1 of table 1", err)
	}
}

func TestZeroFilterDenies(t *testing.T) {
	p, err := new(Filter).Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []abi.Arch{abi.AMD64, abi.X32, abi.ARM64} {
		if a, _, err := p.Run(DataOf(abi.Call{Arch: arch, Nr: 1})); a != ActionKillThread || err != nil {
			t.Errorf("Run on %s = %v, %v; want kill thread", arch, a, err)
		}
	}
}
