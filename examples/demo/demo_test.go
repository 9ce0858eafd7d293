package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDemoShowsTheDifference(t *testing.T) {
	t.Chdir("../..") // where make demo runs it
	callgate := filepath.Join(t.TempDir(), "callgate")
	compile := exec.Command("go", "build", "-o", callgate, "./cmd/callgate")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var said strings.Builder
	if err := run(&said, callgate); err != nil {
		t.Fatalf("run: %v\n%s", err, said.String())
	}
	t.Logf("\n%s", said.String())

	_, table, _ := strings.Cut(said.String(), "behind the gate\n")
	lines := 0
	for line := range strings.Lines(table) {
		lines++
		columns := splitColumns(line)
		if len(columns) != 3 {
			t.Errorf("line %q has %d columns; want 3", line, len(columns))
			continue
		}
		name, bare, behind := columns[0], columns[1], columns[2]
		switch {
		case name == "do the honest work":
			if behind != bare {
				t.Errorf("%s: %q behind the gate; want %q", name, behind, bare)
			}
		case name == "~/.bashrc afterwards":
			if bare != "changed" || behind != "as it was" {
				t.Errorf("%s: %q, %q; want it changed bare, and as it was behind the gate", name, bare, behind)
			}
		case !refused(behind) && !withoutCgroup(name):
			t.Errorf("%s: %q behind the gate; want a refusal", name, behind)
		case refused(bare) && os.Getuid() == 0:
			t.Errorf("%s: %q bare; want it to work for root, or it shows nothing", name, bare)
		}
	}
	if lines != 13 {
		t.Errorf("the table has %d lines; want 13", lines)
	}
}

func refused(outcome string) bool {
	return strings.HasPrefix(outcome, "no: ") || strings.HasPrefix(outcome, "stopped after ")
}

// withoutCgroup tells whether a step is bounded by a control group, which an
// ordinary user may not have.
func withoutCgroup(name string) bool {
	return name == "run 100 processes at once" && os.Getuid() != 0
}

func splitColumns(line string) []string {
	var columns []string
	for column := range strings.SplitSeq(strings.TrimSpace(line), "   ") {
		if column = strings.TrimSpace(column); column != "" {
			columns = append(columns, column)
		}
	}
	return columns
}
