package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTablesAreCurrent holds that package abi's committed tables are what the
// committed facts give.
func TestTablesAreCurrent(t *testing.T) {
	out := t.TempDir()
	if err := generate(".", out); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(out)
	if err != nil || len(files) < 6 {
		t.Fatalf("generated %d files, %v; want 6", len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(filepath.Join(out, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join("../../../abi", file.Name()))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, want) {
			t.Errorf("abi/%s is not what go generate writes", file.Name())
		}
	}
}

// TestFactsSurviveParsing reads the committed facts and writes them again.
func TestFactsSurviveParsing(t *testing.T) {
	var calls []callFact
	if err := eachLine("calls.txt", func(line string) error {
		call, err := parseCall(line)
		calls = append(calls, call)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "calls.txt", formatCalls(calls))

	var constants []constantFact
	if err := eachLine("constants.txt", func(line string) error {
		constant, err := parseConstant(line)
		constants = append(constants, constant)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "constants.txt", formatConstants(constants))
}

func checkSame(t *testing.T, path, got string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for line := range strings.Lines(string(want)) {
		if line[0] != '#' {
			lines.WriteString(line)
		}
	}
	if diff := cmp.Diff(lines.String(), got); diff != "" {
		t.Errorf("%s read and written again (-file +again):\n%s", path, diff)
	}
}

// TestCheckIgnoresVersionsOfInputs holds what extract -check compares.
func TestCheckIgnoresVersionsOfInputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "facts.txt")
	if err := put(path, "# head\n# input: a 1\nread 0\n", false); err != nil {
		t.Fatal(err)
	}
	if err := put(path, "# head\n# input: a 2\nread 0\n", true); err != nil {
		t.Errorf("another version of the input: %v; want no error", err)
	}
	if err := put(path, "# head\n# input: a 1\nread 1\n", true); err == nil || !strings.Contains(err.Error(), "mkabi extract") {
		t.Errorf("another fact: %v; want an error that names the command", err)
	}
	if err := put(filepath.Join(t.TempDir(), "none"), "", true); err == nil {
		t.Error("no file to compare with gives no error")
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"generate", "-facts", "/does/not/exist"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) = nil; want an error", args)
		}
	}
}

func TestParseMeaning(t *testing.T) {
	got, err := parseMeaning("clone@arm64,arm :clone/32 path in.buffer#2 size inout.size ioctl:ioctl signal mode -> pid")
	want := meaning{
		name: "clone", arches: []string{"arm64", "arm"}, result: "PID",
		args: []argument{
			{kind: "Flags", set: "clone", length: -1, bits: 32},
			{kind: "Path", direction: "In", length: -1},
			{kind: "Buffer", direction: "In", length: 2},
			{kind: "Size", length: -1},
			{kind: "SizePointer", direction: "InOut", length: -1},
			{kind: "Ioctl", set: "ioctl", length: -1},
			{kind: "Signal", set: "signal", length: -1},
			{kind: "Mode", set: "mode", length: -1},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(meaning{}, argument{})); err != nil || diff != "" {
		t.Errorf("parseMeaning gives %v (-want +got):\n%s", err, diff)
	}
	for _, line := range []string{"-> fd", "x foo", "x up.buffer", "x -> foo", "x in.buffer#y", "x int/y", "x #1"} {
		if m, err := parseMeaning(line); err == nil {
			t.Errorf("parseMeaning(%q) = %+v; want an error", line, m)
		}
	}
}

// TestJoinRowsRefuses holds that a call cannot slip through without meaning.
func TestJoinRowsRefuses(t *testing.T) {
	call := callFact{name: "read", since: "1.0", params: []parameter{{"int", "fd"}}}
	plain := meaning{name: "read", args: []argument{{kind: "FD", length: -1}}, result: "Status"}
	short, other, nameless := plain, plain, call
	short.args, other.name, nameless.since = nil, "write", ""
	for name, test := range map[string]struct {
		calls    []callFact
		meanings []meaning
		want     string
	}{
		"no meaning":        {[]callFact{call}, nil, "no line in kinds.txt"},
		"too few arguments": {[]callFact{call}, []meaning{short}, "but kinds.txt gives 0"},
		"no such call":      {[]callFact{call}, []meaning{plain, other}, "kinds.txt has write"},
		"no version":        {[]callFact{nameless}, []meaning{plain}, "has no version"},
	} {
		if _, err := joinRows(test.calls, test.meanings); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, test.want)
		}
	}
	if rows, err := joinRows([]callFact{call}, []meaning{plain}); err != nil || len(rows) != 1 {
		t.Errorf("a call and its meaning give %v, %v", rows, err)
	}
}
