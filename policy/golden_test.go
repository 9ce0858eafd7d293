package policy_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// here is the target of the goldens.
var here = policy.Target{Arch: abi.AMD64, Home: "/home/ann", Dir: "/home/ann/mail"}

// golden runs show on the policy mail.yaml of each archive in a directory of
// testdata, and compares what it writes with the archive's last file.
func golden(t *testing.T, dir string, show func(*testing.T, *txtar.Archive, *policy.Policy) string) {
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives in testdata/%s (%v)", dir, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := document.Load(reader(archive), "mail.yaml")
			if err != nil {
				t.Fatal(err)
			}
			want := &archive.Files[len(archive.Files)-1]
			got := []byte(show(t, archive, p))
			if *update {
				want.Data = got
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(string(want.Data), string(got)))
			}
		})
	}
}

func reader(archive *txtar.Archive) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := find(archive, name); ok {
			return text, nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

func find(archive *txtar.Archive, name string) ([]byte, bool) {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// TestExplain asks each line of an archive's questions.
func TestExplain(t *testing.T) {
	golden(t, "explain", func(t *testing.T, archive *txtar.Archive, p *policy.Policy) string {
		questions, _ := find(archive, "questions")
		var b strings.Builder
		for line := range strings.Lines(string(questions)) {
			line = strings.TrimSpace(line)
			words := strings.Fields(line)
			q, err := policy.ParseQuestion(words[0], words[1:])
			var a policy.Answer
			if err == nil {
				a, err = p.Decide(here, q)
			}
			if err != nil {
				fmt.Fprintf(&b, "%s\n\t%v\n", line, err)
				continue
			}
			fmt.Fprintf(&b, "%s\n\t%s", line, a.Action)
			if a.Wall != "" {
				fmt.Fprintf(&b, " by %s: %s", a.Wall, a.Reason)
			}
			fmt.Fprintf(&b, " (%s)\n", a.At)
			for cure := range strings.Lines(a.Cure) {
				b.WriteString("\t\t" + cure)
			}
		}
		return b.String()
	})
}

// TestMerge shows the effective policy.
func TestMerge(t *testing.T) {
	golden(t, "merge", func(t *testing.T, _ *txtar.Archive, p *policy.Policy) string {
		text, err := document.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	})
}

// TestLint shows the findings.
func TestLint(t *testing.T) {
	golden(t, "lint", func(t *testing.T, _ *txtar.Archive, p *policy.Policy) string {
		found, err := p.Lint(here)
		if err != nil {
			t.Fatal(err)
		}
		return found.Error() + "\n"
	})
}

// TestMounts shows the file tree.
func TestMounts(t *testing.T) {
	golden(t, "mounts", func(t *testing.T, _ *txtar.Archive, p *policy.Policy) string {
		var b strings.Builder
		for _, m := range p.Mounts(here) {
			fmt.Fprintln(&b, m)
		}
		return b.String()
	})
}
