package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/bench/measure"
	"github.com/callgate/callgate/policy"
)

// The names of the starts that are compared.
const (
	startBare     = "/bin/true"
	startGo       = "empty Go program"
	startCallgate = "callgate run"
	startBwrap    = "bwrap"
	startFiltered = "bwrap with a filter"
	startRunc     = "runc run"
)

// Measures of a start: one after a pause, and several in a row.
const (
	alone = "alone"
	inRow = "in a row"
)

// row is how many starts in a row make one sample.
const row = 10

// start measures whole processes: from before fork to after wait.
func (b *bench) start() error {
	b.Printf("### Start\n\n")
	subjects, err := b.starters()
	if err != nil {
		return err
	}
	rounds := b.roundsOr(100)
	samples, err := measure.Interleave(rounds, []string{alone, inRow}, subjects)
	if err != nil {
		return err
	}
	b.Samples("Start", samples)
	rows := [][]string{{"program", "ms, alone", "ms, " + fmt.Sprint(row) + " in a row", "callgate run ÷ this, alone"}}
	for _, name := range samples.Subjects {
		ratio := measure.Ratio(samples.Of(startCallgate, alone), samples.Of(name, alone)).String()
		if name == startCallgate {
			ratio = ""
		}
		rows = append(rows, []string{
			name, measure.Milliseconds(measure.Median(samples.Of(name, alone))),
			measure.Milliseconds(measure.Median(samples.Of(name, inRow))), ratio,
		})
	}
	b.Printf("Medians of %s, interleaved; `alone` starts after a pause of %v, so that nobody pays for the cleaning up\n"+
		"that the one before left to the kernel; in a row, everybody pays for their own.\n\n", plural(rounds, "round"), settle)
	b.Table(rows...)
	for _, bar := range []struct {
		peer  string
		limit float64
	}{{startBwrap, 0.8}, {startRunc, 0.25}} {
		if samples.Has(bar.peer) {
			b.Bar("start of callgate run / "+bar.peer, bar.limit, measure.Ratio(samples.Of(startCallgate, alone), samples.Of(bar.peer, alone)))
		}
	}
	b.Printf("\n")
	return nil
}

// starters returns what is started, each with /bin/true as its program.
func (b *bench) starters() ([]measure.Subject, error) {
	dir := filepath.Join(b.dir, "here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	empty, err := b.build("empty")
	if err != nil {
		return nil, err
	}
	subjects := []measure.Subject{
		starter(startBare, func(int) (command, error) { return command{dir: dir, argv: []string{"/bin/true"}}, nil }),
		starter(startGo, func(int) (command, error) { return command{dir: dir, argv: []string{empty}}, nil }),
		starter(startCallgate, func(int) (command, error) {
			return command{dir: dir, argv: []string{b.callgate, "run", "--", "/bin/true"}}, nil
		}),
	}
	if b.have("bwrap", "bubblewrap") {
		bwraps, err := b.bwrapStarters(dir)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, bwraps...)
	}
	if os.Geteuid() != 0 {
		b.Printf("runc is measured only as root: left out.\n\n")
	} else if b.have("runc", "runc") && b.have("busybox", "busybox-static") {
		runc, err := b.runcStarter()
		if err != nil {
			return nil, err
		}
		if _, err := runc.Run(0); err != nil { // for one, under SCHED_FIFO where the cpu controller gives it no such time
			b.Printf("runc does not run here (%v): left out.\n\n", err)
			return subjects, nil
		}
		subjects = append(subjects, runc)
	}
	return subjects, nil
}

// bwrapStarters are bubblewrap with callgate's root, without and with
// callgate's filter.
func (b *bench) bwrapStarters(dir string) ([]measure.Subject, error) {
	path, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, err
	}
	root, err := b.comparableRoot(dir)
	if err != nil {
		return nil, err
	}
	b.Printf("bwrap builds the root that `callgate run` shows from inside (%d arguments), and drops all capabilities; it has\n"+
		"no Landlock, no locked bounding set and no limits.\n\n", len(root))
	bwrap := append([]string{path}, root...)
	subjects := []measure.Subject{starter(startBwrap, func(int) (command, error) {
		return command{dir: dir, argv: append(bwrap[:len(bwrap):len(bwrap)], "--chdir", dir, "/bin/true")}, nil
	})}
	program, ok := policy.ReadyProgram("default", abi.Native())
	if !ok {
		return subjects, nil
	}
	file := filepath.Join(b.dir, "default.bpf")
	if err := os.WriteFile(file, program.Bytes(), 0o644); err != nil {
		return nil, err
	}
	return append(subjects, starter(startFiltered, func(int) (command, error) {
		opened, err := os.Open(file) // anew each time: bwrap reads it to the end
		return command{
			dir: dir, files: []*os.File{opened},
			argv: append(bwrap[:len(bwrap):len(bwrap)], "--seccomp", "3", "--chdir", dir, "/bin/true"),
		}, err
	})), nil
}

func (b *bench) runcStarter() (measure.Subject, error) {
	path, err := exec.LookPath("runc")
	if err != nil {
		return measure.Subject{}, err
	}
	bundle, err := b.runcBundle()
	if err != nil {
		return measure.Subject{}, err
	}
	return starter(startRunc, func(number int) (command, error) {
		id := fmt.Sprintf("callgate-bench-%d-%d", os.Getpid(), number)
		return command{dir: bundle, argv: []string{path, "run", "--bundle", bundle, id}}, nil
	}), nil
}

// starter measures a command, alone and in a row. Each start gets a command of
// its own, made before its time begins, with a number.
func starter(name string, make func(number int) (command, error)) measure.Subject {
	number := 0
	once := func() (float64, error) {
		number++
		c, err := make(number)
		if err != nil {
			return 0, err
		}
		defer func() {
			for _, file := range c.files {
				file.Close()
			}
		}()
		return c.time()
	}
	return measure.Subject{Name: name, Run: func(int) ([]float64, error) {
		runtime.GC() // now rather than while the clock runs
		time.Sleep(settle)
		single, err := once()
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		for range row {
			if _, err := once(); err != nil {
				return nil, err
			}
		}
		return []float64{single, float64(time.Since(begin)) / row}, nil
	}}
}
