package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

// report reads the machine's console and prints what go test would: for each
// package the tests that failed, with their output, and a summary line; and the
// tests that skipped, with their reasons.
type report struct {
	command bool // a command line runs, not tests: show all it prints
	out     io.Writer

	runs bool            // a job is running
	job  strings.Builder // what it has printed
	code int             // the exit code so far
	off  bool            // the machine has done all it had to
}

func (r *report) line(line string) {
	// The firmware's last line has no end, so that a mark may stand behind it.
	before, said, marked := strings.Cut(line, plan.Mark+" ")
	marked = marked && (before == "" || !r.runs)
	if !marked {
		if r.command && r.runs {
			fmt.Fprintln(r.out, line)
		}
		r.job.WriteString(line + "\n")
		return
	}
	switch word, rest, _ := strings.Cut(said, " "); word {
	case "start":
		r.job.Reset()
		r.runs = true
	case "end":
		r.runs = false
		code, rest, _ := strings.Cut(rest, " ")
		seconds, name, _ := strings.Cut(rest, " ")
		r.end(code, seconds, name)
	case "left":
		fmt.Fprintf(r.out, "LEFT BEHIND: process %s\n", rest)
		r.code = 1
	case "off":
		r.off = true
	}
}

// end tells how a job went.
func (r *report) end(code, seconds, name string) {
	exit, err := strconv.Atoi(code)
	if err != nil {
		exit = 2
	}
	if r.command {
		r.code = exit
		return
	}
	if err := r.tests(); err != nil {
		fmt.Fprintf(r.out, "vmtest: %v\n%s", err, r.job.String())
		exit = 1
	}
	verdict := "ok  "
	if exit != 0 {
		verdict, r.code = "FAIL", 1
	}
	fmt.Fprintf(r.out, "%s\t%s\t%ss\n", verdict, name, seconds)
}

// event is one line of test2json (go doc test2json).
type event struct {
	Action string
	Test   string
	Output string
}

// reason finds the message of t.Skip, which follows the place it was called at.
var reason = regexp.MustCompile(`(?m)^\s*\w+_test\.go:\d+: (.*)$`)

// tests prints the job's tests that failed or skipped.
func (r *report) tests() error {
	convert := exec.Command("go", "tool", "test2json")
	convert.Stdin = strings.NewReader(r.job.String())
	out, err := convert.Output()
	if err != nil {
		return fmt.Errorf("go tool test2json: %w", err)
	}
	printed := map[string]*strings.Builder{}
	for events := json.NewDecoder(strings.NewReader(string(out))); ; {
		var e event
		if err := events.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if printed[e.Test] == nil {
			printed[e.Test] = &strings.Builder{}
		}
		text := printed[e.Test]
		switch e.Action {
		case "output":
			text.WriteString(e.Output)
		case "skip":
			why := ""
			if found := reason.FindAllStringSubmatch(text.String(), -1); found != nil {
				why = found[len(found)-1][1]
			}
			fmt.Fprintf(r.out, "skip %s: %s\n", e.Test, why)
		case "fail":
			io.WriteString(r.out, text.String())
		}
	}
}
