package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

func TestRulesForLibseccomp(t *testing.T) {
	f := &filter.Filter{
		Foreign: filter.ActionKillProcess,
		Tables: []filter.Table{{Arch: abi.AMD64, Default: filter.Errno(abi.ENOSYS), Rules: []filter.Rule{
			{Nr: 1, Then: filter.ActionAllow},
			{Nr: 2, Then: filter.Errno(abi.ENOSYS)}, // the default: refused by libseccomp
			{Nr: 3, When: []filter.Cond{{Arg: 0, Op: filter.In, Values: []uint64{5, 6}, Bits: 32}}, Then: filter.ActionAllow},
			{Nr: 3, Then: filter.Errno(abi.EPERM)}, // would replace the one above
			{Nr: 4, When: []filter.Cond{
				{Arg: 1, Op: filter.Less, Values: []uint64{9}, Bits: 64},
				{Arg: 2, Op: filter.MaskedEqual, Mask: 12, Values: []uint64{8}},
			}, Then: filter.ActionAllow},
		}}},
	}
	const want = `filter 2147483648
arch 3221225534 327718
rule 2147418112 1 0
rule 2147418112 3 1 0 7 4294967295 5
rule 2147418112 3 1 0 7 4294967295 6
rule 2147418112 4 2 1 2 9 0 2 7 12 8
`
	got, err := scmpRules(f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scmpRules (-want +got):\n%s", diff)
	}
	f.Tables[0].Rules[0].When = []filter.Cond{{Op: filter.Range, Values: []uint64{1, 2}}}
	if _, err := scmpRules(f); !errors.Is(err, errInexpressible) {
		t.Errorf("scmpRules with a range = %v; want %v", err, errInexpressible)
	}
}
