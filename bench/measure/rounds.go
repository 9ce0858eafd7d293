// Package measure times things side by side and says how sure it is: rounds in
// which each thing runs once, medians over the rounds, and ratios with
// confidence intervals.
package measure

import (
	"fmt"
	"math/rand/v2"
)

// Subject is one of the things measured side by side.
type Subject struct {
	Name string
	// Run does it once and returns a value for each measure, in nanoseconds.
	Run func(round int) ([]float64, error)
}

// Samples holds what rounds gave: the values of a subject's measures, one a
// round.
type Samples struct {
	Subjects []string
	Measures []string
	values   map[key][]float64
}

type key struct{ subject, measure string }

// Of returns a subject's values of a measure, one a round.
func (s *Samples) Of(subject, measure string) []float64 {
	return s.values[key{subject, measure}]
}

// Has reports whether the subject was measured.
func (s *Samples) Has(subject string) bool {
	return len(s.Of(subject, s.Measures[0])) > 0
}

// Interleave runs each subject once a round, in a new order each round, so that
// what changes on the machine meanwhile meets all of them alike. A first round
// warms caches and is thrown away.
func Interleave(rounds int, measures []string, subjects []Subject) (*Samples, error) {
	s := &Samples{Measures: measures, values: map[key][]float64{}}
	for _, subject := range subjects {
		s.Subjects = append(s.Subjects, subject.Name)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for round := range rounds + 1 {
		for _, i := range random.Perm(len(subjects)) {
			values, err := subjects[i].Run(round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", subjects[i].Name, err)
			}
			if len(values) != len(measures) {
				return nil, fmt.Errorf("%s: %d values for %d measures", subjects[i].Name, len(values), len(measures))
			}
			if round == 0 {
				continue
			}
			for j, measure := range measures {
				k := key{subjects[i].Name, measure}
				s.values[k] = append(s.values[k], values[j])
			}
		}
	}
	return s, nil
}
