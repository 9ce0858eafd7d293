package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readModule reads every non-test Go file below root, whatever system it is
// for, so that a rule can't be broken behind a build constraint. Nested modules
// and testdata are not the module's packages.
func readModule(t *testing.T, root string) []pkg {
	t.Helper()
	packages := map[string]*pkg{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skipDir(root, name, entry)
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		if packages[dir] == nil {
			packages[dir] = &pkg{path: dir}
		}
		return readFile(packages[dir], name, nil)
	})
	if err != nil {
		t.Fatalf("read the module's packages: %v", err)
	}
	var list []pkg
	for _, p := range packages {
		p.imports = slices.Compact(slices.Sorted(slices.Values(p.imports)))
		p.clocks = slices.Compact(slices.Sorted(slices.Values(p.clocks)))
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b pkg) int { return strings.Compare(a.path, b.path) })
	return list
}

func skipDir(root, name string, entry fs.DirEntry) error {
	if name == root {
		return nil
	}
	base := entry.Name()
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// readFile adds one file's imports and clocks to p. Source is as for
// parser.ParseFile: nil reads the file.
func readFile(p *pkg, name string, source any) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	clock := ""
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		p.imports = append(p.imports, path)
		if path == "time" {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	if clock == "" {
		return nil
	}
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(clocks, selector.Sel.Name) {
			p.clocks = append(p.clocks, selector.Sel.Name)
		}
		return true
	})
	return nil
}

func TestReadFileSeesImportsAndClocks(t *testing.T) {
	const source = `//go:build plan9

package p

import (
	hour "time"
	"unsafe"
)

var (
	start = hour.Now
	limit = hour.Second
	size  = unsafe.Sizeof(0)
)
`
	want := pkg{path: "p", imports: []string{"time", "unsafe"}, clocks: []string{"Now"}}
	got := pkg{path: "p"}
	if err := readFile(&got, "p.go", source); err != nil {
		t.Fatalf("readFile: %v", err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pkg{})); diff != "" {
		t.Errorf("readFile (-want +got):\n%s", diff)
	}
}
