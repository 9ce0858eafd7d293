package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

// compare compiles a filter and compares the program with the rules.
func compare(t *testing.T, m maker, f *Filter) (calls int) {
	t.Helper()
	p, err := f.Compile()
	if err != nil {
		t.Fatalf("Compile(%+v) = %v; want no error", f, err)
	}
	if err := p.Validate(); err != nil {
		t.Fatalf("Compile(%+v).Validate() = %v; want no error\n%v", f, err, p)
	}
	for _, arch := range []abi.Arch{abi.AMD64, abi.X32, abi.I386, abi.ARM64, abi.RISCV64} {
		table := f.table(arch.Audit(), arch == abi.X32)
		for _, nr := range m.numbers(table) {
			for range 4 {
				d := Data{Nr: nr, Arch: arch.Audit(), IP: m.value(), Args: m.args(table, nr)}
				want, _, _ := f.Decide(d)
				got, _, err := p.Run(d)
				if got != want || err != nil {
					t.Fatalf("Run(%+v) = %v, %v; want %v\n%+v\n%v", d, got, err, want, f, p)
				}
				calls++
			}
		}
	}
	return calls
}

func TestCompileRandom(t *testing.T) {
	filters, calls := 10000, 0
	if testing.Short() {
		filters = 500
	}
	for seed := range filters {
		m := randomMaker(uint64(seed))
		f := m.filter()
		calls += compare(t, m, &f)
	}
	t.Logf("%d filters, %d calls", filters, calls)
}
