package measure

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		in   []float64
		want float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 100}, 3.5},
	}
	for _, test := range tests {
		before := slices.Clone(test.in)
		if got := Median(test.in); got != test.want {
			t.Errorf("Median(%v) = %v; want %v", before, got, test.want)
		}
		if diff := cmp.Diff(before, test.in); diff != "" {
			t.Errorf("Median changed its argument (-want +got):\n%s", diff)
		}
	}
}

func TestRatio(t *testing.T) {
	slow, fast := make([]float64, 40), make([]float64, 40)
	for i := range slow {
		noise := float64(i % 7) // the same for both, as a busy machine's is
		slow[i], fast[i] = 200+2*noise, 100+noise
	}
	got := Ratio(slow, fast)
	if want := (Interval{2, 2, 2}); got != want {
		t.Errorf("Ratio of rounds that differ by exactly 2 = %v; want %v", got, want)
	}
	slices.Reverse(fast)
	got = Ratio(slow, fast)
	if !(got.Low < got.Middle && got.Middle < got.High) || got.Low < 1.9 || got.High > 2.1 {
		t.Errorf("Ratio of noisy rounds = %v; want an interval around 2 with a width", got)
	}
}

func TestInterleave(t *testing.T) {
	var order []string
	subject := func(name string, value float64) Subject {
		return Subject{name, func(round int) ([]float64, error) {
			order = append(order, fmt.Sprint(round, name))
			return []float64{value + float64(round), -value}, nil
		}}
	}
	samples, err := Interleave(3, []string{"up", "down"}, []Subject{subject("a", 10), subject("b", 20)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{21, 22, 23}, samples.Of("b", "up")); diff != "" {
		t.Errorf("values of b, up (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{-10, -10, -10}, samples.Of("a", "down")); diff != "" {
		t.Errorf("values of a, down (-want +got):\n%s", diff)
	}
	if samples.Has("c") || !samples.Has("a") {
		t.Error("Has: want true for a alone")
	}
	for round := range 4 {
		got := slices.Sorted(slices.Values(order[2*round : 2*round+2]))
		want := []string{fmt.Sprint(round, "a"), fmt.Sprint(round, "b")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d ran (-want +got):\n%s", round, diff)
		}
	}
}

func TestInterleaveFails(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		run  func(int) ([]float64, error)
		want string
	}{
		{func(int) ([]float64, error) { return nil, broken }, "x: broken"},
		{func(int) ([]float64, error) { return []float64{1, 2}, nil }, "x: 2 values for 1 measures"},
	} {
		if _, err := Interleave(1, []string{"one"}, []Subject{{"x", test.run}}); err == nil || err.Error() != test.want {
			t.Errorf("Interleave = %v; want %q", err, test.want)
		}
	}
}

func TestReport(t *testing.T) {
	var out, lines strings.Builder
	r := &Report{Out: &out, Lines: &lines}
	r.Table([]string{"tool", "ms"}, []string{"a", Milliseconds(1_234_567)})
	r.Bar("a / b", 0.8, Interval{0.6, 0.7, 0.79})
	r.Bar("a / b", 0.8, Interval{0.6, 0.7, 0.9})
	r.Bar("a / b", 0.8, Interval{0.7, 0.85, 0.9})
	r.Bar("a / b", 0.8, Interval{0.81, 0.85, 0.9})
	want := `| tool | ms |
|---|---|
| a | 1.23 |

- bar: a / b ≤ 0.80: 0.70 (0.60–0.79): met
- bar: a / b ≤ 0.80: 0.70 (0.60–0.90): met (not certain: the interval holds the bar)
- bar: a / b ≤ 0.80: 0.85 (0.70–0.90): MISSED (not certain: the interval holds the bar)
- bar: a / b ≤ 0.80: 0.85 (0.81–0.90): MISSED
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if r.Missed != 1 {
		t.Errorf("Missed = %d; want 1", r.Missed)
	}
	samples, err := Interleave(2, []string{"wall"}, []Subject{{"a b", func(round int) ([]float64, error) { return []float64{float64(round)}, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	r.Samples("Start", samples)
	want = "BenchmarkStart/a_b/wall 1 1.0 ns/op\nBenchmarkStart/a_b/wall 1 2.0 ns/op\n"
	if diff := cmp.Diff(want, lines.String()); diff != "" {
		t.Errorf("lines for benchstat (-want +got):\n%s", diff)
	}
}
