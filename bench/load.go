package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/callgate/callgate/bench/measure"
)

// load measures the way from a container profile to a filter program.
func (b *bench) load() error {
	b.Printf("### Load\n\n")
	ours, err := b.loadOurs()
	if err != nil {
		return err
	}
	subjects := []measure.Subject{ours}
	peer, err := b.newLibseccomp()
	if err != nil {
		return err
	}
	if peer != nil {
		rules, _, err := presetFilter("oci")
		if err != nil {
			return err
		}
		for _, optimize := range []int{scmpList, scmpTree} {
			subjects = append(subjects, measure.Subject{Name: scmpName("rules alone", optimize), Run: func(int) ([]float64, error) {
				_, ns, err := peer.compile(rules, optimize, loadTimes)
				return []float64{ns}, err
			}})
		}
	}
	const took = "load"
	rounds := b.roundsOr(20)
	samples, err := measure.Interleave(rounds, []string{took}, subjects)
	if err != nil {
		return err
	}
	b.Samples("Load", samples)
	b.Printf("The container world's default profile, to a program for the kernel. callgate reads the JSON and compiles for three\n"+
		"numberings of calls; libseccomp gets rules that are read already, for one. Medians of %s, interleaved.\n\n", plural(rounds, "round"))
	rows := [][]string{{"compiler", "ms"}}
	for _, name := range samples.Subjects {
		rows = append(rows, []string{name, measure.Milliseconds(measure.Median(samples.Of(name, took)))})
	}
	b.Table(rows...)
	millisecond := make([]float64, rounds)
	for i := range millisecond {
		millisecond[i] = 1e6
	}
	b.Bar("profile to program / 1 ms", 1, measure.Ratio(samples.Of(ours.Name, took), millisecond))
	b.Printf("\n")
	return nil
}

// loadTimes is how many compilations make a sample.
const loadTimes = 100

// loadOurs runs package oci's own benchmark.
func (b *bench) loadOurs() (measure.Subject, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/callgate/callgate/policy/oci").Output()
	if err != nil {
		return measure.Subject{}, fmt.Errorf("find package policy/oci (run this inside the module): %w", err)
	}
	dir, binary := strings.TrimSpace(string(out)), filepath.Join(b.dir, "oci.test")
	compile := exec.Command("go", "test", "-c", "-o", binary, ".")
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		return measure.Subject{}, fmt.Errorf("build the benchmark of policy/oci: %w\n%s", err, out)
	}
	return measure.Subject{Name: "callgate, from JSON", Run: func(int) ([]float64, error) {
		cmd := exec.Command(binary, "-test.run", "^$", "-test.bench", "^BenchmarkLoadAndCompileOCI$", "-test.benchtime", fmt.Sprint(loadTimes, "x"))
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		ns, err := benchmarkTime(string(out))
		return []float64{ns}, err
	}}, nil
}

// benchmarkTime finds the ns/op in what a Go benchmark prints.
func benchmarkTime(output string) (float64, error) {
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		for i, field := range fields {
			var ns float64
			if field == "ns/op" && strings.HasPrefix(line, "Benchmark") {
				_, err := fmt.Sscan(fields[i-1], &ns)
				return ns, err
			}
		}
	}
	return 0, errors.New("the benchmark printed no ns/op")
}
