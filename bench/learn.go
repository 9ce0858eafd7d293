package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/callgate/callgate/bench/measure"
)

const workLearnt = "callgate learn"

// learn measures programs bare and while callgate watches them. There is no bar: a
// policy is learnt once.
func (b *bench) learn() error {
	b.Printf("### Learning\n\n")
	rounds := b.roundsOr(10)
	rows := [][]string{{"program", "ms, bare", "ms, learning", "learning ÷ bare"}}
	for i, w := range workloads(b.dir) {
		dir := filepath.Join(b.dir, fmt.Sprint("learn-", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		argv, err := w.argv(dir)
		if err != nil || w.env != nil { // the program has the variables that a policy gives it
			b.Printf("%s: left out.\n\n", w.name)
			continue
		}
		if err := w.prepare(dir); err != nil {
			return fmt.Errorf("%s: prepare: %w", w.name, err)
		}
		learning := append([]string{b.callgate, "learn", "--quiet", "--output", dir + ".yaml", "--"}, argv...)
		samples, err := b.byTurns("Learning", w, dir, rounds, argv, workLearnt, learning)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		bare, learnt := samples.Of(workBare, w.name), samples.Of(workLearnt, w.name)
		rows = append(rows, []string{
			"`" + w.name + "`", measure.Milliseconds(measure.Median(bare)), measure.Milliseconds(measure.Median(learnt)), measure.Ratio(learnt, bare).String(),
		})
	}
	b.Printf("Medians of %s, bare and learning by turns.\n\n", plural(rounds, "round"))
	b.Table(rows...)
	b.Printf("\n")
	return nil
}
