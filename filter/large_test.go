package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
)

// TestCompileLarge compiles filters that strain one part of the compiler.
func TestCompileLarge(t *testing.T) {
	isolated := Table{Arch: abi.AMD64, Default: Errno(1)}
	for nr := range abi.Sysno(600) {
		isolated.Rules = append(isolated.Rules, Rule{Nr: 2 * nr, Then: Errno(abi.Errno(2 + nr))})
	}
	set := Cond{Op: In}
	for i := range uint64(1000) {
		set.Values = append(set.Values, i*i<<20)
	}
	bits := Table{Arch: abi.AMD64, Default: Errno(1)} // a graph that settled every bit would have 2^30 paths
	for i := range 30 {
		bits.Rules = append(bits.Rules, Rule{Nr: 1, Then: Errno(abi.Errno(2 + i)), When: []Cond{
			{Arg: i % 3, Op: MaskedEqual, Mask: 5 << i, Values: []uint64{4 << i}},
			{Arg: i % 5, Op: Range, Values: []uint64{uint64(i), 1 << 40}, Signed: true},
		}})
	}
	tests := []struct {
		name  string
		table Table
	}{
		{"isolated numbers", isolated},
		{"set", Table{Arch: abi.AMD64, Default: Errno(1), Rules: []Rule{{Nr: 1, When: []Cond{set}, Then: ActionAllow}}}},
		{"bits", bits},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Filter{Tables: []Table{test.table}, Foreign: Errno(4000)}
			calls := 0
			for seed := range uint64(5) {
				calls += compare(t, randomMaker(seed), &f)
			}
			p, err := f.Compile()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d instructions, %d calls", len(p), calls)
		})
	}
}

func TestCompileTooLarge(t *testing.T) {
	set := func(n uint64) []Cond {
		c := Cond{Op: In}
		for i := range n {
			c.Values = append(c.Values, i*i<<20)
		}
		return []Cond{c}
	}
	f := Filter{Tables: []Table{{Arch: abi.AMD64, Default: Errno(1), Rules: []Rule{
		{Nr: 0, Then: ActionAllow, When: set(10)},
		{Nr: 257, Then: ActionAllow, When: set(2600)},
		{Nr: 1, Then: ActionAllow, When: set(1700)},
		{Nr: 2, Then: ActionAllow, When: set(1500)},
	}}}}
	_, err := f.Compile()
	var size *SizeError
	if !errors.As(err, &size) {
		t.Fatalf("Compile = %v; want a SizeError", err)
	}
	if size.Instructions <= MaxInstructions || len(size.Largest) != 3 || size.Largest[0].Nr != 257 || size.Largest[1].Nr != 1 {
		t.Errorf("Compile = %+v; want openat and write as the largest contributors", size)
	}
	const want = "the kernel takes at most 4096; shorten the conditions of amd64 openat (257) ("
	if !strings.Contains(err.Error(), want) {
		t.Errorf("Compile = %q; want it to contain %q", err, want)
	}
}
