package jail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a/file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"relative": "a/b", "absolute": dir + "/a", "chain": "relative", "up": "a/b/../file",
		"a/b/back": "../..", "loop": "pool", "pool": "loop", "dangling": "a/none", "through": "a/file/x",
	} {
		if err := os.Symlink(text, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string // below dir
		path   string // below dir
		folder bool
		links  []string // below dir
		err    error
	}{
		{name: "a/b", path: "a/b", folder: true},
		{name: "a/file", path: "a/file"},
		{name: "a//./b/", path: "a/b", folder: true},
		{name: "relative", path: "a/b", folder: true, links: []string{"relative"}},
		{name: "absolute/file", path: "a/file", links: []string{"absolute"}},
		{name: "chain", path: "a/b", folder: true, links: []string{"chain", "relative"}},
		{name: "up", path: "a/file", links: []string{"up"}},
		{name: "relative/back/a/file", path: "a/file", links: []string{"relative", "a/b/back"}},
		{name: "loop", err: syscall.ELOOP},
		{name: "dangling", err: fs.ErrNotExist},
		{name: "none/x", err: fs.ErrNotExist},
		{name: "through", err: syscall.ENOTDIR},
		{name: "a/file/x", err: syscall.ENOTDIR},
	}
	for _, test := range tests {
		got, err := resolve(dir + "/" + test.name)
		if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
			t.Errorf("resolve(%q) = %v; want error %v", test.name, err, test.err)
		}
		if test.err != nil {
			continue
		}
		if want := filepath.Join(dir, test.path); got.path != want || got.folder != test.folder {
			t.Errorf("resolve(%q) = %q, folder %v; want %q, %v", test.name, got.path, got.folder, want, test.folder)
		}
		for _, link := range test.links {
			if _, ok := got.links[filepath.Join(dir, link)]; !ok {
				t.Errorf("resolve(%q): link %q is not among %v", test.name, link, got.links)
			}
		}
		if len(got.links) != len(test.links) {
			t.Errorf("resolve(%q): links %v; want %q", test.name, got.links, test.links)
		}
	}
}

// The kernel follows at most 40 links in one path, and so does resolve.
func TestResolveBoundsLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/0", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= maxLinks+1; i++ {
		if err := os.Symlink(strconv.Itoa(i-1), dir+"/"+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, links := range []int{maxLinks, maxLinks + 1} {
		name := dir + "/" + strconv.Itoa(links)
		_, want := os.Stat(name)
		if _, err := resolve(name); (err == nil) != (want == nil) {
			t.Errorf("resolve over %d links = %v; the kernel says %v", links, err, want)
		}
	}
}

func TestMissingPathNamesTheCure(t *testing.T) {
	_, err := resolve("/no/such/path")
	got := pathError("mail.yaml:7", "/no/such/path", err).Error()
	want := `mail.yaml:7: lstat /no: no such file or directory: create it, or write "-/no/such/path" for a path that may be missing`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pathError (-want +got):\n%s", diff)
	}
	if !errors.Is(pathError("x:1", "/no", err), fs.ErrNotExist) {
		t.Error("pathError hides its cause")
	}
}
