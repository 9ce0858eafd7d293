package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

// tally compares the instructions that two programs execute for the same calls.
type tally struct {
	calls, ours, theirs int
	more                int // calls for which we execute more
	worst               int // how many more at most
	wrong               int // calls that libseccomp decides against the rules
}

// compare runs one call through both programs and holds them to the rules.
func (c *tally) compare(t *testing.T, f *Filter, ours, theirs Program, d Data) {
	t.Helper()
	want, table, _ := f.Decide(d)
	got, steps, err := ours.Run(d)
	if got != want || err != nil {
		t.Fatalf("Run(%+v) = %v, %v; want %v\n%+v\n%v", d, got, err, want, f, ours)
	}
	other, otherSteps, err := theirs.Run(d)
	if other != want || err != nil {
		if err == nil && table >= 0 && several(&f.Tables[table], d.Nr) {
			c.wrong++
			return
		}
		t.Fatalf("libseccomp's Run(%+v) = %v, %v; want %v\n%+v\n%v", d, other, err, want, f, theirs)
	}
	c.calls++
	c.ours += steps
	c.theirs += otherSteps
	if steps > otherSteps {
		c.more++
		c.worst = max(c.worst, steps-otherSteps)
	}
}

// several says whether a call has several rules: libseccomp 2.5.4 merges their
// 64-bit comparisons wrongly now and then (GHSA-4q85-33p6-j5g6).
func several(t *Table, nr abi.Sysno) bool {
	count := 0
	for _, r := range t.Rules {
		if r.Nr == nr {
			count++
		}
	}
	return count > 1
}

func (c *tally) report(t *testing.T, optimize int) {
	t.Helper()
	t.Logf("optimize %d: %d calls, %d instructions executed, libseccomp %d; more for %d calls, by %d at most; libseccomp wrong for %d",
		optimize, c.calls, c.ours, c.theirs, c.more, c.worst, c.wrong)
}

// peerFilter returns rules that libseccomp can express and whose meaning does
// not depend on their order: one action a call, one condition an argument.
func (m maker) peerFilter() Filter {
	t := Table{Arch: abi.AMD64, Default: Errno(38)}
	gap := pick(m, []int{1, 2, 5})
	nr := abi.Sysno(m.choose(3))
	conditional := pick(m, []int{2, 4, 10})
	for range m.choose(pick(m, []int{3, 20, 100})) + 1 {
		then := pick(m, []Action{ActionAllow, ActionAllow, ActionAllow, Errno(1), ActionTrap})
		if m.choose(conditional) != 0 {
			t.Rules = append(t.Rules, Rule{Nr: nr, Then: then})
		} else {
			t.Rules = append(t.Rules, m.peerRules(nr, then)...)
		}
		nr += 1 + abi.Sysno(m.choose(gap))
	}
	return Filter{Tables: []Table{t}, Foreign: ActionKillProcess}
}

// peerRules returns the rules of one call: one of any kind, or several that
// compare for equality. For others libseccomp 2.5.4 takes exponential time or
// answers wrongly (as GHSA-4q85-33p6-j5g6 describes).
func (m maker) peerRules(nr abi.Sysno, then Action) []Rule {
	kind := m.choose(3)
	if kind == 0 {
		return []Rule{m.peerRule(nr, then, Op(0))}
	}
	if kind == 1 {
		set := Cond{Arg: m.choose(2), Op: In}
		for range m.choose(pick(m, []int{3, 6, 20})) + 1 {
			set.Values = append(set.Values, pick(m, []uint64{m.value(), uint64(m.choose(30))}))
		}
		return []Rule{{Nr: nr, When: []Cond{set}, Then: then}}
	}
	var rules []Rule
	for range pick(m, []int{2, 3}) {
		rules = append(rules, m.peerRule(nr, then, Equal))
	}
	return rules
}

// peerRule returns a rule with at most one condition an argument, all of them
// op unless that is zero.
func (m maker) peerRule(nr abi.Sysno, then Action, op Op) Rule {
	r := Rule{Nr: nr, Then: then}
	for arg := range 3 {
		if m.choose(2) == 0 && (arg < 2 || len(r.When) > 0) {
			continue
		}
		for {
			c := m.cond()
			if op != 0 {
				c.Op, c.Mask = op, 0
			} else if c.Op == Range || c.Op == In {
				c.Op = Equal
			}
			c.Arg, c.Bits, c.Signed, c.Values = arg, 64, false, c.Values[:1]
			if c.Check() == nil {
				r.When = append(r.When, c)
				break
			}
		}
	}
	return r
}

// TestLibseccompRandom compares programs for random rules. There is no tree
// that is never slower than a list for the numbers at its head and never
// slower than libseccomp's tree for the others, so that a comparison or two
// more are allowed, for few calls.
func TestLibseccompRandom(t *testing.T) {
	peer := startLibseccomp(t)
	filters := 1000
	if testing.Short() {
		filters = 100
	}
	for _, optimize := range []int{1, 2} {
		var plain, conditional, foreign tally
		for seed := range filters {
			m := randomMaker(uint64(seed))
			f := m.peerFilter()
			ours, err := f.Compile()
			if err != nil {
				t.Fatalf("Compile(%+v) = %v; want no error", f, err)
			}
			theirs := peer.compile(t, &f, optimize)
			for _, nr := range m.numbers(&f.Tables[0]) {
				sum := &plain
				if f.Tables[0].conditional(nr) {
					sum = &conditional
				}
				for range 4 {
					d := Data{Nr: nr, Arch: abi.AMD64.Audit(), Args: m.args(&f.Tables[0], nr)}
					if isX32(d) {
						sum = &foreign // refused early by libseccomp, late here: no program depends on its speed
					}
					sum.compare(t, &f, ours, theirs, d)
				}
			}
		}
		plain.report(t, optimize)
		conditional.report(t, optimize)
		for _, sum := range []tally{plain, conditional} {
			if sum.ours > sum.theirs || sum.more*20 > sum.calls || sum.wrong*1000 > sum.calls {
				t.Errorf("optimize %d: %+v; want fewer instructions in sum, and more for one call in 20 at most", optimize, sum)
			}
		}
		if plain.worst > 2 || conditional.worst > 5 {
			t.Errorf("optimize %d: %d instructions more for a call without conditions, %d for one with; want 2 and 5 at most",
				optimize, plain.worst, conditional.worst)
		}
	}
}

// conditional says whether a call has a rule with conditions.
func (t *Table) conditional(nr abi.Sysno) bool {
	for _, r := range t.Rules {
		if r.Nr == nr && len(r.When) > 0 {
			return true
		}
	}
	return false
}

// TestLibseccompProfile compares programs for a real profile: no call may
// execute more instructions.
func TestLibseccompProfile(t *testing.T) {
	f := readProfile(t).filter(abi.AMD64)
	f.Foreign = ActionKillProcess
	ours, err := f.Compile()
	if err != nil {
		t.Fatal(err)
	}
	peer := startLibseccomp(t)
	m := randomMaker(1)
	for _, optimize := range []int{1, 2} {
		theirs := peer.compile(t, &f, optimize)
		var sum, foreign tally
		for nr := range abi.Sysno(700) {
			for range 40 {
				sum.compare(t, &f, ours, theirs, Data{Nr: nr, Arch: abi.AMD64.Audit(), Args: m.args(&f.Tables[0], nr)})
			}
		}
		for _, nr := range []abi.Sysno{abi.X32Bit - 1, abi.X32Bit, abi.X32Bit + 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
			foreign.compare(t, &f, ours, theirs, Data{Nr: nr, Arch: abi.AMD64.Audit()})
		}
		foreign.compare(t, &f, ours, theirs, Data{Arch: abi.ARM64.Audit()})
		sum.report(t, optimize)
		t.Logf("optimize %d: %d instructions long, libseccomp's %d", optimize, len(ours), len(theirs))
		if sum.more > 0 || sum.wrong > 0 {
			t.Errorf("optimize %d: %+v; want no call with more instructions", optimize, sum)
		}
	}
}
