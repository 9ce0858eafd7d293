package files

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stage makes a folder what every run of fuzzed calls begins with.
func stage(t testing.TB, folder string) {
	t.Helper()
	empty(folder)
	os.Remove(folder)
	os.Mkdir(folder, 0o755) // without attributes
	put(t, folder, "file", "text of a file")
	put(t, folder, "folder/file", "another text")
	put(t, folder, "folder/inner/file", "a third")
	put(t, folder, "spare", "spare")
	for name, to := range map[string]string{
		"link": "file", "loop": "loop", "dangling": "missing", "into": "folder", "magic": "/proc/self/fd/100", "away": "/proc/self/cwd/folder/../file", "folder/link": "../file",
	} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(folder, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// empty removes what is in a folder, whatever its modes are.
func empty(folder string) {
	os.Chmod(folder, 0o755)
	filepath.WalkDir(folder, func(name string, d fs.DirEntry, _ error) error {
		if d.IsDir() {
			os.Chmod(name, 0o700)
		}
		return nil
	})
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		os.RemoveAll(filepath.Join(folder, entry.Name()))
	}
}

// picture is a text of all that is in a folder, but for times that are not long past.
func picture(t testing.TB, folder string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		var stat unix.Stat_t
		if err == nil {
			err = unix.Lstat(name, &stat)
		}
		if errors.Is(err, fs.ErrPermission) { // an ordinary user's, which a call closed
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s: mode %#o, of %d:%d", strings.TrimPrefix(name, folder), stat.Mode, stat.Uid, stat.Gid)
		if !d.IsDir() {
			fmt.Fprintf(&text, ", size %d, links %d", stat.Size, stat.Nlink)
		}
		if stat.Mtim.Sec < 1<<30 {
			fmt.Fprintf(&text, ", of %d.%d", stat.Mtim.Sec, stat.Mtim.Nsec)
		}
		if link, err := os.Readlink(name); err == nil {
			fmt.Fprintf(&text, ", to %q", link)
		} else if stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Size < 1<<16 {
			content, _ := os.ReadFile(name)
			fmt.Fprintf(&text, ", %q", content)
		}
		list := make([]byte, 4096)
		if n, err := unix.Llistxattr(name, list); err == nil && n > 0 {
			value := make([]byte, 4096)
			for attribute := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
				length, _ := unix.Lgetxattr(name, attribute, value)
				fmt.Fprintf(&text, ", %s=%q", attribute, value[:max(length, 0)])
			}
		}
		text.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// seeds are bytes to begin with.
func seeds(f *testing.F, count, length int) {
	f.Helper()
	for i := range count {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		data := make([]byte, length)
		for j := range data {
			data[j] = byte(random.Uint32())
		}
		f.Add(data)
	}
}

// FuzzCalls makes the same calls twice, behind patterns that fit nothing and
// without any: what callgate does for a program is what the kernel would have done.
func FuzzCalls(f *testing.F) {
	seeds(f, 12, 600)
	folder := f.TempDir()
	os.Chmod(folder, 0o755)
	f.Cleanup(func() { empty(folder) })
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			t.Skip("longer than a run")
		}
		tape := tapeOf + "=" + hex.EncodeToString(data)
		b := behind{folder: folder, bare: true, mounts: true}
		stage(t, folder)
		want := b.run(t, "calls", tape)
		wantPicture := picture(t, folder)
		stage(t, folder)
		b.bare, b.hidden, b.ro = false, []string{"./**/never named?"}, []string{"./**/never so?"}
		got := b.run(t, "calls", tape)
		compare(t, want, got)
		if gotPicture := picture(t, folder); gotPicture != wantPicture && !t.Failed() {
			t.Errorf("what is left behind:\n%s\nand without patterns:\n%s\nafter\n%s", gotPicture, wantPicture, got)
		}
	})
}

// compare holds what calls came to against what they came to without patterns, up
// to the first difference.
func compare(t *testing.T, want, got string) {
	t.Helper()
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	if len(wants) != len(gots) {
		t.Fatalf("%d calls, and %d without patterns: %q", len(gots), len(wants), gots)
	}
	for i := range wants {
		w, g := strings.Split(wants[i], "\t"), strings.Split(gots[i], "\t")
		if wants[i] == gots[i] {
			continue
		}
		if len(w) != 3 || len(g) != 3 || w[0] != g[0] {
			t.Fatalf("call %d is %q, and %q without patterns", i, gots[i], wants[i])
		}
		if strings.HasPrefix(g[0], "openat2(") && g[2] == "ENOSYS" { // as documented: the caller uses openat
			return
		}
		if w[1] > "0" && w[2][0] == 'E' && g[2][0] == 'E' { // which of several mistakes comes first is the kernel's secret
			continue
		}
		if w[2] == "EROFS" && g[2] == "EACCES" { // outside of what is granted, which the mounts say in another way
			continue
		}
		t.Errorf("call %d, %s, came to %s; without patterns to %s; before it\n%s", i, g[0], g[2], w[2], strings.Join(gots[:i], "\n"))
		return
	}
}
