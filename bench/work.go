package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/callgate/callgate/bench/measure"
)

// workload is a real program at work, in a folder of its own.
type workload struct {
	name, preset string
	rw           string                                      // a folder to write in besides its own, or ""
	env          []string                                    // variables it is given, NAME=VALUE
	prepare      func(dir string) error                      // makes what it works on
	reset        func(dir string, round int) error           // undoes what a run did
	argv         func(dir string) (argv []string, err error) // the first is found by PATH
}

const (
	workBare     = "bare"
	workConfined = "callgate run"
)

// work measures programs bare and confined.
func (b *bench) work() error {
	b.Printf("### Work\n\n")
	rounds := b.roundsOr(20)
	rows := [][]string{{"program", "preset", "ms, bare", "ms, confined", "confined ÷ bare"}}
	type result struct {
		name  string
		ratio measure.Interval
	}
	var results []result
	for i, w := range workloads(b.dir) {
		dir := filepath.Join(b.dir, fmt.Sprint("work-", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		argv, err := w.argv(dir)
		if err != nil {
			b.Printf("%s: %v: left out.\n\n", w.name, err)
			continue
		}
		samples, err := b.workload(w, dir, argv, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		bare, confined := samples.Of(workBare, w.name), samples.Of(workConfined, w.name)
		ratio := measure.Ratio(confined, bare)
		results = append(results, result{w.name, ratio})
		rows = append(rows, []string{
			"`" + w.name + "`", w.preset, measure.Milliseconds(measure.Median(bare)), measure.Milliseconds(measure.Median(confined)), ratio.String(),
		})
	}
	b.Printf("Medians of %s, bare and confined by turns.\n\n", plural(rounds, "round"))
	b.Table(rows...)
	for _, r := range results {
		b.Bar(r.name+" confined / bare", 1.05, r.ratio)
	}
	b.Printf("\n")
	return nil
}

// workload measures one of them.
func (b *bench) workload(w workload, dir string, argv []string, rounds int) (*measure.Samples, error) {
	if err := w.prepare(dir); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	confined := []string{b.callgate, "run", "--preset", w.preset}
	for _, variable := range w.env {
		confined = append(confined, "--env", variable)
	}
	if w.rw != "" {
		if err := os.Mkdir(w.rw, 0o755); err != nil {
			return nil, err
		}
		confined = append(confined, "--rw", w.rw)
	}
	confined = append(append(confined, "--"), argv...)
	return b.byTurns("Work", w, dir, rounds, argv, workConfined, confined)
}

// byTurns measures a program bare and in another way.
func (b *bench) byTurns(heading string, w workload, dir string, rounds int, argv []string, way string, other []string) (*measure.Samples, error) {
	subject := func(name string, argv []string) measure.Subject {
		c := command{dir: dir, env: append(os.Environ(), w.env...), argv: argv}
		return measure.Subject{Name: name, Run: func(round int) ([]float64, error) {
			if err := w.reset(dir, round); err != nil {
				return nil, fmt.Errorf("reset: %w", err)
			}
			runtime.GC()
			time.Sleep(settle)
			ns, err := c.time()
			return []float64{ns}, err
		}}
	}
	samples, err := measure.Interleave(rounds, []string{w.name}, []measure.Subject{subject(workBare, argv), subject(way, other)})
	if err == nil {
		b.Samples(heading, samples)
	}
	return samples, err
}

// found returns an argv whose first word is found by PATH.
func found(argv ...string) func(string) ([]string, error) {
	return func(string) ([]string, error) {
		path, err := exec.LookPath(argv[0])
		return append([]string{path}, argv[1:]...), err
	}
}

// removes returns a reset that removes these names.
func removes(names ...string) func(string, int) error {
	return func(dir string, _ int) error {
		for _, name := range names {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	}
}
