package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

// constant says whether a table allows a call whatever its arguments, by a
// look at the rules alone.
func (t *Table) constant(nr abi.Sysno) bool {
	for _, r := range t.Rules {
		if r.Nr == nr {
			return len(r.When) == 0 && r.Then == ActionAllow
		}
	}
	return t.Default == ActionAllow
}

// checkConstant holds ConstantAllow to the rules: it must find each call that
// is allowed whatever its arguments, and no call that isn't.
func checkConstant(t *testing.T, m maker, f *Filter) (allowed int) {
	t.Helper()
	p, err := f.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Tables {
		table := &f.Tables[i]
		for _, nr := range m.numbers(table) {
			if table.Arch == abi.X32 != isX32(Data{Nr: nr, Arch: table.Arch.Audit()}) {
				continue
			}
			constant := p.ConstantAllow(table.Arch.Audit(), nr)
			if table.constant(nr) && !constant {
				t.Fatalf("ConstantAllow(%s, %d) = false; want true\n%+v\n%v", table.Arch, nr, f, p)
			}
			if !constant {
				continue
			}
			allowed++
			for range 5 {
				d := Data{Nr: nr, Arch: table.Arch.Audit(), Args: m.args(table, nr)}
				if a, _, _ := f.Decide(d); a != ActionAllow {
					t.Fatalf("ConstantAllow(%s, %d) = true, but %+v meets %v", table.Arch, nr, d, a)
				}
			}
		}
	}
	return allowed
}

func TestConstantAllow(t *testing.T) {
	allowed := 0
	for seed := range 500 {
		m := randomMaker(uint64(seed))
		f := m.filter()
		allowed += checkConstant(t, m, &f)
	}
	if allowed == 0 {
		t.Error("no call of 500 filters is allowed whatever its arguments; want many")
	}
}

func TestConstantAllowProfile(t *testing.T) {
	f := readProfile(t).filter(abi.AMD64, abi.X32, abi.I386)
	if allowed := checkConstant(t, randomMaker(1), &f); allowed < 600 {
		t.Errorf("%d probes are allowed whatever their arguments; want 600 at least", allowed)
	}
}

func TestConstantAllowGivesUp(t *testing.T) {
	allow := Instruction{Code: opRet, K: uint32(ActionAllow)}
	tests := []struct {
		name string
		p    Program
		want bool
	}{
		{"allow", Program{allow}, true},
		{"log", Program{{Code: opRet, K: uint32(ActionLog)}}, false},
		{"argument", Program{{Code: opLoad, K: offLow(0)}, allow}, false},
		{"arithmetic", Program{{Code: opLoad, K: offNr}, {Code: classALU | aluOR, K: 1}, allow}, false},
		{"mask", Program{{Code: opLoad, K: offNr}, {Code: opAnd, K: 1}, {Code: opJEQ, K: 1, Jf: 1}, allow, {Code: opRet}}, true},
		{"return a", Program{{Code: classRET | retA}}, false},
		{"no return", Program{{Code: opLoad, K: offNr}}, false},
		{"jump out", Program{{Code: opJA, K: 1 << 31}, allow}, false},
	}
	for _, test := range tests {
		if got := test.p.ConstantAllow(abi.AMD64.Audit(), 257); got != test.want {
			t.Errorf("%s: ConstantAllow = %v; want %v", test.name, got, test.want)
		}
	}
}
