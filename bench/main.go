// Command bench measures callgate beside its peers, in one run on one machine,
// and prints Markdown: what docs/benchmarks.md shows is what this prints.
//
//	go run ./bench [flags] SECTION...
//
// The sections are start (whole-process start), phases (where that time goes),
// calls (the cost of a system call behind a filter), notify (that of a call which
// a monitor answers), opens (that of an opened file, and of a compiler's many),
// load (from a profile to a program), work (real programs, bare and confined) and
// learn (the same, bare and while a policy is learnt). A peer that is not
// installed is left out, and the report says so.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/callgate/callgate/bench/measure"
)

// bench is one run of this program.
type bench struct {
	*measure.Report
	callgate string // a copy of the binary, absolute
	runsc    string // gVisor's program, which may be missing
	dir      string // a folder that is removed at the end
	rounds   int
}

// section is one part of the report.
type section struct {
	name string
	run  func(*bench) error
	// Under SCHED_FIFO a program whose threads spin while they wait for others
	// holds every processor for good.
	spins bool
}

func sections() []section {
	return []section{
		{"start", (*bench).start, false},
		{"phases", (*bench).phases, false},
		{"calls", (*bench).calls, false},
		{"notify", (*bench).notify, true},
		{"opens", (*bench).opens, true},
		{"load", (*bench).load, true},
		{"work", (*bench).work, true},
		{"learn", (*bench).learn, true},
	}
}

func main() {
	callgate := flag.String("callgate", "bin/callgate", "the callgate `binary` to measure")
	runsc := flag.String("runsc", "runsc", "gVisor's `program`, to compare with")
	rounds := flag.Int("rounds", 0, "the `number` of rounds, instead of each section's own")
	lines := flag.String("lines", "", "append a line a sample to this `file`, for benchstat")
	document := flag.String("into", "", "put the report into this `document` as well")
	strict := flag.Bool("strict", false, "fail if a bar is missed")
	fifo := flag.Bool("fifo", false, "run under SCHED_FIFO (chrt), ahead of what else the machine does; needs root")
	flag.Parse()
	if *fifo {
		fmt.Fprintln(os.Stderr, "bench:", underFIFO())
		os.Exit(1)
	}
	missed, err := run(*callgate, *runsc, *rounds, *lines, *document, flag.Args())
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	case missed > 0 && *strict:
		fmt.Fprintf(os.Stderr, "bench: %d bars missed\n", missed)
		os.Exit(1)
	}
}

// underFIFO starts this program again under a real-time scheduler; it returns
// only if that fails.
func underFIFO() error {
	chrt, err := exec.LookPath("chrt")
	if err != nil {
		return fmt.Errorf("-fifo: %w: install util-linux", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := slices.DeleteFunc(os.Args[1:], func(arg string) bool { return arg == "-fifo" || arg == "--fifo" })
	return syscall.Exec(chrt, append([]string{"chrt", "--fifo", "10", self}, args...), os.Environ())
}

// leaveFIFO gives this process back to the default scheduler.
func leaveFIFO(r *measure.Report) {
	if !isFIFO() {
		return
	}
	if err := exec.Command("chrt", "--all-tasks", "--other", "--pid", "0", strconv.Itoa(os.Getpid())).Run(); err != nil {
		r.Printf("chrt: %v\n\n", err)
	}
	r.Printf("From here on under the default scheduler.\n\n")
}

func run(callgate, runsc string, rounds int, lines, document string, names []string) (missed int, err error) {
	var figures bytes.Buffer
	b := &bench{Report: &measure.Report{Out: io.MultiWriter(os.Stdout, &figures)}, runsc: runsc, rounds: rounds}
	if b.dir, err = os.MkdirTemp("", "callgate-bench-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(b.dir)
	if err := b.install(callgate); err != nil {
		return 0, err
	}
	if lines != "" {
		file, err := os.OpenFile(lines, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		b.Lines = file
	}
	printHost(b.Report)
	for _, name := range names {
		i := slices.IndexFunc(sections(), func(s section) bool { return s.name == name })
		if i < 0 {
			return b.Missed, fmt.Errorf("there is no section %q: name some of start, phases, calls, notify, opens, load, work, learn", name)
		}
		if sections()[i].spins {
			leaveFIFO(b.Report)
		}
		if err := sections()[i].run(b); err != nil {
			return b.Missed, fmt.Errorf("%s: %w", name, err)
		}
	}
	if document != "" {
		return b.Missed, putFigures(document, figures.String())
	}
	return b.Missed, nil
}

// roundsOr returns the number of rounds asked for, or a section's own.
func (b *bench) roundsOr(own int) int {
	if b.rounds > 0 {
		return b.rounds
	}
	return own
}

// have reports whether a peer is installed, and says so if it is not.
func (b *bench) have(program, from string) bool {
	if _, err := exec.LookPath(program); err != nil {
		b.Printf("%s is not installed (Debian: %s): left out.\n\n", program, from)
		return false
	}
	return true
}

// install copies the binary that is measured. The linker leaves its output in
// small pages of the cache, where every start takes more page faults, until it is
// written or read from disk again, as an installed program was.
func (b *bench) install(callgate string) error {
	program, err := os.ReadFile(callgate)
	if err != nil {
		return err
	}
	b.callgate = filepath.Join(b.dir, "callgate")
	return os.WriteFile(b.callgate, program, 0o755)
}

// build compiles a Go package of this module and returns the program's path.
func (b *bench) build(name string) (string, error) {
	path := filepath.Join(b.dir, name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/callgate/callgate/bench/"+name)
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// compileC compiles one of the C programs in testdata and returns its path.
func (b *bench) compileC(name string, flags ...string) (string, error) {
	path := filepath.Join(b.dir, name)
	source, err := testdata.Open("testdata/" + name + ".c")
	if err != nil {
		return "", err
	}
	defer source.Close()
	cmd := exec.Command("cc", append([]string{"-O2", "-Wall", "-x", "c", "-", "-o", path}, flags...)...)
	cmd.Stdin, cmd.Stderr = source, os.Stderr
	return path, cmd.Run()
}
