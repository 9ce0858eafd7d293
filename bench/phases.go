package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/callgate/callgate/bench/measure"
)

// marks are the system calls that phases begin or end with; perf records these
// alone. The extra one is made often in one phase: recording it too shows what
// recording costs.
const (
	marks  = "sched_getaffinity,prlimit64,capget,clone,mount,umount2,seccomp,execve,exit_group"
	extra  = "move_mount"
	extraP = "move_mount("
)

// phase is a stretch of a start: from a mark to the mark of the next phase.
// The marks come in this order, each the first of its kind after the last.
type phase struct {
	what  string
	begin mark
}

// mark finds an event of a trace.
type mark struct {
	call string
	with string // what the line must hold, or ""
	end  bool   // the end of the call rather than its begin
}

var phases = []phase{
	{"Go's runtime, package initialisers", mark{"sched_getaffinity(", "", false}},
	{"last initialisers, flags, policy", mark{"prlimit64(", "NOFILE", false}},
	{"ask the kernel what it has, make pipes", mark{"capget(", "", false}},
	{"clone init into namespaces", mark{"clone(", "NEWNS", false}},
	{"begin the root; beside it the plan, the network", mark{"clone(", "NEWNS", true}},
	{phaseMounts, mark{"mount(", "", false}},
	{"let the old root go; beside it Landlock", mark{"umount2(", "", false}},
	{"wait for the slower of the two", mark{"umount2(", "", true}},
	{"filter", mark{"seccomp(", "", false}},
	{"execute the program", mark{"execve(", "", false}},
	{"the program itself", mark{"execve(", "", true}},
	{"its end, reaping, reporting", mark{"exit_group(", "", false}},
	{"", mark{"exit_group(", "", false}},
}

// phaseMounts is the phase that holds the extra calls.
const phaseMounts = "mounts; beside them giving up powers"

// phases says where the time of a start goes. The parts that no system call
// marks are measured by programs that end there.
func (b *bench) phases() error {
	b.Printf("### Where the time goes\n\n")
	dir := filepath.Join(b.dir, "phases")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	samples, err := b.untraced(dir)
	if err != nil {
		return err
	}
	rows := [][]string{{"program", "ms", "it adds"}}
	before := 0.0
	for i, name := range samples.Subjects {
		median := measure.Median(samples.Of(name, alone))
		rows = append(rows, []string{name, measure.Milliseconds(median), measure.Milliseconds(median-before) + " " + stages[i].adds})
		before = median
	}
	b.Table(rows...)
	if os.Geteuid() != 0 {
		b.Printf("perf trace needs root: the phases are left out.\n\n")
		return nil
	}
	if b.have("perf", "linux-perf") {
		return b.traced(dir, measure.Median(samples.Of(startCallgate, alone)))
	}
	return nil
}

// stages are programs that each do what the one before does, and more.
var stages = []struct {
	name, adds string
}{
	{startBare, "fork, exec, the dynamic linker, wait"},
	{startGo, "Go's runtime, less the dynamic linker"},
	{"callgate --version", "a larger program, package initialisers, the command line"},
	{"callgate run --plan", "policy, paths looked up, plan; printing it"},
	{startCallgate, "all walls, the program; less the printing"},
}

// untraced measures the stages.
func (b *bench) untraced(dir string) (*measure.Samples, error) {
	empty, err := b.build("empty")
	if err != nil {
		return nil, err
	}
	argvs := [][]string{
		{"/bin/true"},
		{empty},
		{b.callgate, "--version"},
		{b.callgate, "run", "--plan", "--", "/bin/true"},
		{b.callgate, "run", "--", "/bin/true"},
	}
	var subjects []measure.Subject
	for i, argv := range argvs {
		c := command{dir: dir, argv: argv}
		subjects = append(subjects, measure.Subject{Name: stages[i].name, Run: func(int) ([]float64, error) {
			time.Sleep(settle)
			ns, err := c.time()
			return []float64{ns}, err
		}})
	}
	samples, err := measure.Interleave(b.roundsOr(100), []string{alone}, subjects)
	if err == nil {
		b.Samples("Stage", samples)
	}
	return samples, err
}

// traced measures the phases, by what perf records.
func (b *bench) traced(dir string, untraced float64) error {
	var plain, more traces
	for range b.roundsOr(50) {
		if err := b.tracePair(dir, &plain, &more); err != nil {
			return err
		}
	}
	cost := more.costOf(plain)
	rows := [][]string{{"phase", "ms", "calls recorded"}}
	sum := 0.0
	for i, p := range phases[:len(phases)-1] {
		ns := max(0, plain.median(i)-cost*float64(plain.recorded[i]))
		sum += ns
		rows = append(rows, []string{p.what, measure.Milliseconds(ns), fmt.Sprint(plain.recorded[i])})
	}
	b.Printf("`callgate run -- /bin/true` under `perf trace`, medians of %s. Recording a call costs %.0f µs, found by\n"+
		"recording more calls, and is taken off.\n\n", plural(len(plain.took), "trace"), cost/1e3)
	b.Table(rows...)
	b.Printf("Together %s ms; the whole takes %s untraced. That holds fork, exec and exit of callgate itself, and not the little\n"+
		"that tracing adds to the calls it doesn't record (at the start of Go's runtime there are more than 200).\n\n",
		measure.Milliseconds(sum), measure.Milliseconds(untraced))
	return nil
}

// tracePair adds a trace to each. perf loses an event now and then: such a
// trace is made again.
func (b *bench) tracePair(dir string, plain, more *traces) error {
	const tries = 5
	for _, t := range []struct {
		to    *traces
		calls string
	}{{plain, marks}, {more, marks + "," + extra}} {
		var err error
		for range tries {
			var text string
			if text, err = b.trace(dir, t.calls); err != nil {
				return err
			}
			if err = t.to.add(text); err == nil {
				break
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// traces are several traces of the same program.
type traces struct {
	took     [][]float64 // by trace and phase, in nanoseconds
	recorded []int       // by phase: calls recorded, the same in every trace but for threads
	extra    int         // calls recorded beyond the marks
}

func (t *traces) add(text string) error {
	events, err := parseTrace(text)
	if err != nil {
		return err
	}
	took, recorded, err := split(events)
	if err != nil {
		return err
	}
	t.took, t.recorded, t.extra = append(t.took, took), recorded, strings.Count(text, extraP)
	return nil
}

func (t *traces) median(phase int) float64 {
	var values []float64
	for _, took := range t.took {
		values = append(values, took[phase])
	}
	return measure.Median(values)
}

// costOf returns what recording a call costs, from how much longer than in
// plain the phase is that holds the extra calls.
func (t *traces) costOf(plain traces) float64 {
	i := slices.IndexFunc(phases, func(p phase) bool { return p.what == phaseMounts })
	return max(0, t.median(i)-plain.median(i)) / float64(max(1, t.extra))
}

// trace runs callgate under perf and returns what perf wrote. The file system
// that perf needs is mounted where only perf sees it.
func (b *bench) trace(dir, calls string) (string, error) {
	out := filepath.Join(b.dir, "trace")
	cmd := exec.Command("unshare", "--mount", "sh", "-c",
		`[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec perf trace -T --sort-events "$@"`, "perf",
		"-e", calls, "-o", out, "--", b.callgate, "run", "--", "/bin/true")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("perf trace: %w", err)
	}
	text, err := os.ReadFile(out)
	return string(text), err
}
