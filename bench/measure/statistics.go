package measure

import (
	"math/rand/v2"
	"slices"
)

// Median returns the middle of the values, or 0 when there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Interval is an estimate with its 95 % confidence interval.
type Interval struct{ Low, Middle, High float64 }

// resamples is how often a bootstrap draws; more changes the third digit.
const resamples = 2000

// Ratio returns Median(a)/Median(b) with a bootstrap interval. The two hold one
// value a round: rounds are drawn whole, since what slows a round slows both.
// It panics if the lengths differ.
func Ratio(a, b []float64) Interval {
	if len(a) != len(b) {
		panic("measure: ratio of samples from different rounds")
	}
	if len(a) == 0 {
		return Interval{}
	}
	random := rand.New(rand.NewPCG(1, 2)) // fixed: the same samples give the same interval
	drawnA, drawnB := make([]float64, len(a)), make([]float64, len(b))
	ratios := make([]float64, resamples)
	for i := range ratios {
		for j := range drawnA {
			round := random.IntN(len(a))
			drawnA[j], drawnB[j] = a[round], b[round]
		}
		ratios[i] = Median(drawnA) / Median(drawnB)
	}
	slices.Sort(ratios)
	return Interval{
		Low:    ratios[resamples*25/1000],
		Middle: Median(a) / Median(b),
		High:   ratios[resamples*975/1000-1],
	}
}
