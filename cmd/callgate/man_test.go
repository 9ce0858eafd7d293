package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManHasEveryCommandAndFlag reads the pages as a person would find them.
func TestManHasEveryCommandAndFlag(t *testing.T) {
	dir := t.TempDir()
	if err := writePages(newRootCommand(nil), dir); err != nil {
		t.Fatal(err)
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		text, err := os.ReadFile(filepath.Join(dir, pageName(cmd)+".1"))
		if err != nil {
			t.Errorf("no page: %v", err)
			return
		}
		cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(string(text), roff("--"+f.Name)) {
				t.Errorf("the page of %s has no --%s", cmd.CommandPath(), f.Name)
			}
		})
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() {
				visit(below)
			}
		}
	}
	visit(newRootCommand(nil))
}

func TestManIsGoodRoff(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("needs groff: apt-get install groff-base")
	}
	dir := t.TempDir()
	if err := writePages(newRootCommand(nil), dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages (%v); want one for each command", len(pages), err)
	}
	for _, page := range pages {
		if out, err := exec.Command(groff, "-man", "-ww", "-z", "-Tutf8", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff %s: %v\n%s", filepath.Base(page), err, out)
		}
	}
}

func TestRoffQuotes(t *testing.T) {
	if got, want := roff(".x\n'y\\n --z"), "\\&.x\n\\&'y\\en \\-\\-z"; got != want {
		t.Errorf("roff = %q; want %q", got, want)
	}
}
