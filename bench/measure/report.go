package measure

import (
	"fmt"
	"io"
	"strings"
)

// Report writes Markdown for a reader to Out and, for benchstat, a line a
// sample to Lines, which may be nil. Errors of writing are the caller's to see
// by the writers.
type Report struct {
	Out, Lines io.Writer
	Missed     int // bars that were certainly not met
}

// Printf writes text.
func (r *Report) Printf(format string, args ...any) { fmt.Fprintf(r.Out, format, args...) }

// Table writes a Markdown table whose first row is the head.
func (r *Report) Table(rows ...[]string) {
	for i, row := range rows {
		r.Printf("| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			r.Printf("|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	r.Printf("\n")
}

// Samples writes the samples as the Go benchmark format has them
// (golang.org/design/14313-benchmark-format), under Benchmark<group>.
func (r *Report) Samples(group string, s *Samples) {
	if r.Lines == nil {
		return
	}
	for _, subject := range s.Subjects {
		for _, measure := range s.Measures {
			name := strings.ReplaceAll("Benchmark"+group+"/"+subject+"/"+measure, " ", "_")
			for _, value := range s.Of(subject, measure) {
				fmt.Fprintf(r.Lines, "%s 1 %.1f ns/op\n", name, value)
			}
		}
	}
}

// Bar says whether a ratio stays within a limit, by its middle. A miss counts
// only if the whole interval is beyond: else chance may have decided.
func (r *Report) Bar(what string, limit float64, ratio Interval) {
	verdict := "met"
	if ratio.Middle > limit {
		verdict = "MISSED"
	}
	if ratio.Low > limit {
		r.Missed++
	} else if ratio.High > limit {
		verdict += " (not certain: the interval holds the bar)"
	}
	r.Printf("- bar: %s ≤ %.2f: %s: %s\n", what, limit, ratio, verdict)
}

// String writes the estimate and its interval: "0.71 (0.69–0.74)".
func (i Interval) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", i.Middle, i.Low, i.High) }

// Milliseconds writes nanoseconds as milliseconds: "5.13".
func Milliseconds(ns float64) string { return fmt.Sprintf("%.2f", ns/1e6) }

// Nanoseconds writes nanoseconds: "96.4".
func Nanoseconds(ns float64) string { return fmt.Sprintf("%.1f", ns) }
