package sys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	path, link, other := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(path, []byte("1234"), 0o600), os.WriteFile(other, nil, 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want, err := IdentityOf(int(file.Fd()))
	if err != nil || want.Type != unix.S_IFREG {
		t.Fatalf("IdentityOf() = %+v, %v; want a file", want, err)
	}
	for name, same := range map[string]bool{path: true, link: true, other: false, dir: false} {
		if got, err := IdentityAt(name); got.Same(want) != same || err != nil {
			t.Errorf("IdentityAt(%s) = %+v, %v; want it to be %+v: %v", name, got, err, want, same)
		}
	}
	if got, err := IdentityAt(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("IdentityAt(none) = %+v, %v; want that it does not exist", got, err)
	}
}
