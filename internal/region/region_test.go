package region

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/callgate/callgate/filter"
)

// randomCond makes a condition that is often about the edges of numbers.
func randomCond(r *rand.Rand) filter.Cond {
	for {
		c := filter.Cond{Arg: r.IntN(2), Op: filter.Op(1 + r.IntN(9)), Bits: 32 + 32*r.IntN(2), Signed: r.IntN(3) == 0}
		n := 1
		switch c.Op {
		case filter.MaskedEqual:
			c.Mask = number(r)
		case filter.Range:
			n = 2
		case filter.In:
			n = 3
		}
		for range n {
			c.Values = append(c.Values, number(r))
		}
		if c.Check() == nil {
			return c
		}
	}
}

func number(r *rand.Rand) uint64 {
	edges := [...]uint64{0, 1, 2, 7, 8, 1 << 31, 1<<31 - 1, 1<<32 - 1, 1 << 32, 1 << 63, 1<<63 - 1, ^uint64(0), r.Uint64()}
	return edges[r.IntN(len(edges))]
}

func TestSetsHoldWhatConditionsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range rounds {
		conds := []filter.Cond{randomCond(r), randomCond(r)}
		before := []filter.Cond{randomCond(r)}
		all, err := Of(conds)
		if err != nil {
			t.Fatalf("Of(%v) = %v", conds, err)
		}
		taken, err := Of(before)
		if err != nil {
			t.Fatalf("Of(%v) = %v", before, err)
		}
		left, err := all.Minus(taken)
		if errors.Is(err, ErrLimit) {
			refused++
			continue
		}
		if err != nil {
			t.Fatalf("Of(%v).Minus(%v) = %v", conds, before, err)
		}
		checkAny(t, left)
		for range 40 {
			args := [6]uint64{number(r), number(r)}
			both := conds[0].Holds(args) && conds[1].Holds(args)
			if got := all.Contains(args); got != both {
				t.Fatalf("Of(%v).Contains(%#x) = %v; want %v", conds, args, got, both)
			}
			if got, want := left.Contains(args), both && !before[0].Holds(args); got != want {
				t.Fatalf("Of(%v) minus %v contains %#x = %v; want %v", conds, before, args, got, want)
			}
		}
	}
	if refused > rounds/20 {
		t.Errorf("%d of %d sets were refused as too large; want few", refused, rounds)
	}
}

const rounds = 300

func checkAny(t *testing.T, s Set) {
	t.Helper()
	if args, ok := s.Any(); ok != (len(s) > 0) || ok && !s.Contains(args) {
		t.Fatalf("Any of %v = %#x, %v; want a member", s, args, ok)
	}
}

func TestMinusLeavesCubesThatShareNothing(t *testing.T) {
	conds := func(op filter.Op, values ...uint64) Set {
		s, err := Of([]filter.Cond{{Op: op, Values: values}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	left, err := All().Minus(conds(filter.In, 3, 5, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range left {
		for _, d := range left[:i] {
			if both, meet := c.and(d); meet {
				t.Errorf("%v and %v both hold %v", c, d, both)
			}
		}
	}
	if got := conds(filter.Less, 38); len(got) != 3 { // 0-31, 32-35, 36-37
		t.Errorf("below 38 has %d cubes; want 3", len(got))
	}
}

func TestLimitEndsWhatGrowsWithoutEnd(t *testing.T) {
	var conds []filter.Cond
	for arg := range 6 {
		conds = append(conds, filter.Cond{Arg: arg, Op: filter.Range, Values: []uint64{1, 1<<63 + 1}})
	}
	if _, err := Of(conds); !errors.Is(err, ErrLimit) {
		t.Errorf("Of six wide ranges = %v; want %v", err, ErrLimit)
	}
}
