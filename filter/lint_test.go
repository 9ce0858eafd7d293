package filter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
)

func TestLint(t *testing.T) {
	when := func(op Op, values ...uint64) []Cond { return []Cond{{Op: op, Values: values}} }
	tests := []struct {
		name  string
		rules []Rule
		want  []string
	}{
		{"nothing", []Rule{{Nr: 1}, {Nr: 2, When: when(Equal, 1)}, {Nr: 2}}, nil},
		{"shadowed", []Rule{{Nr: 257, Then: ActionAllow}, {Nr: 3}, {Nr: 257, When: when(Equal, 1)}, {Nr: 257}}, []string{
			"amd64 rule 2 (openat (257)): never decides: rule 0 does",
			"amd64 rule 3 (openat (257)): never decides: rule 0 does",
		}},
		{"together", []Rule{{Nr: 2, When: when(Less, 5)}, {Nr: 2, When: when(Greater, 3)}, {Nr: 2, When: when(Range, 2, 9)}}, []string{
			"amd64 rule 2 (open (2)): never decides: earlier rules do together",
		}},
		{"always", []Rule{{Nr: 700, When: when(GreaterEqual, 0)}}, []string{
			"amd64 rule 0 (call 700): condition 0 always holds",
		}},
		{"partly shadowed", []Rule{{Nr: 2, When: when(Less, 5)}, {Nr: 2, When: when(Less, 6)}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Filter{Tables: []Table{{Arch: abi.AMD64, Rules: test.rules}}}
			var got []string
			for _, finding := range f.Lint() {
				got = append(got, finding.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Lint() differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLintRandom holds Lint to Decide: a rule that decides a call isn't dead.
func TestLintRandom(t *testing.T) {
	dead := 0
	for seed := range 500 {
		m := randomMaker(uint64(seed))
		f := m.filter()
		type place struct{ table, rule int }
		found := map[place]bool{}
		for _, finding := range f.Lint() {
			if finding.Cond < 0 {
				found[place{finding.Table, finding.Rule}] = true
				dead++
			}
		}
		for i := range f.Tables {
			table := &f.Tables[i]
			for _, r := range table.Rules {
				for range 20 {
					d := Data{Nr: r.Nr, Arch: table.Arch.Audit(), Args: m.args(table, r.Nr)}
					if _, at, rule := f.Decide(d); found[place{at, rule}] {
						t.Fatalf("Lint() calls rule %d dead; it decides %+v in %+v", rule, d, f)
					}
				}
			}
		}
	}
	if dead == 0 {
		t.Error("no rule of 500 filters is dead; want some")
	}
}
