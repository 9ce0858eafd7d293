package document_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// files reads the files of an archive as os.ReadFile reads those of a disk.
func files(archive *txtar.Archive) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		for _, f := range archive.Files {
			if f.Name == name {
				return f.Data, nil
			}
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// TestBadInput loads mail.yaml of each archive and compares the error with the
// archive's last file.
func TestBadInput(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives in testdata/bad (%v)", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := &archive.Files[len(archive.Files)-1]
			_, err = document.Load(files(archive), "mail.yaml")
			got := fmt.Appendln(nil, err)
			if *update {
				want.Data = got
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("Load = nil; want an error")
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("Load's error (-want +got):\n%s", cmp.Diff(string(want.Data), string(got)))
			}
		})
	}
}

// TestHostileDocumentsAreRefused holds the bounds that keep the parser from
// work without end.
func TestHostileDocumentsAreRefused(t *testing.T) {
	const size = 1 << 15
	for name, text := range map[string]string{
		"dashes":   strings.Repeat("- ", size/2),
		"brackets": strings.Repeat("[", size),
		"braces":   strings.Repeat("{a: ", size/4),
		"indented": "files:\n" + strings.Repeat("  - ", size/4),
		"long":     strings.Repeat("# no policy is so long\n", size),
	} {
		_, err := document.Parse("hostile.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), "too deep") && !strings.Contains(err.Error(), "a document of") {
			t.Errorf("%s: Parse = %v; want a refusal for its depth or length", name, err)
		}
	}
	deep := "description: '" + strings.Repeat("]", 100) + strings.Repeat("-", 100) + "'\n"
	if _, err := document.Parse("deep.yaml", []byte(deep)); err != nil {
		t.Errorf("Parse of a text with brackets = %v; want none", err)
	}
}
