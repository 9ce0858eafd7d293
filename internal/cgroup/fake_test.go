package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeV2 is a version 2 tree of common files: what the kernel would put into a
// new folder is put there by mkdir. It shows which files are written, and in
// which group; it cannot show what the kernel makes of it.
func fakeV2(t *testing.T, own string) (*System, string) {
	t.Helper()
	root := t.TempDir()
	fill(t, root, "memory pids cpu", "memory pids")
	s := parse([]byte("30 23 0:26 / "+root+" rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"), []byte("0::"+own+"\n"))
	s.readControllers()
	s.tree = tree{
		mkdir: func(path string) error {
			if err := os.Mkdir(path, 0o755); err != nil {
				return err
			}
			fill(t, path, "memory pids cpu", "")
			return nil
		},
		rmdir: os.RemoveAll,
	}
	for dir, part := root, ""; own != "/"; {
		part, own, _ = strings.Cut(strings.TrimPrefix(own, "/"), "/")
		dir = filepath.Join(dir, part)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		fill(t, dir, "memory pids cpu", "")
		if own == "" {
			break
		}
	}
	return s, root
}

func fill(t *testing.T, dir, controllers, enabled string) {
	t.Helper()
	for name, content := range map[string]string{
		"cgroup.controllers": controllers, "cgroup.subtree_control": enabled,
		"cgroup.procs": "", "cgroup.kill": "", "memory.max": "max", "memory.swap.max": "max",
		"memory.events": "low 0\noom 2\noom_kill 2\noom_group_kill 0\n", "memory.peak": "4096\n",
		"pids.max": "max", "pids.events": "max 7\n", "cpu.max": "max 100000",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestV2WritesLimits(t *testing.T) {
	s, root := fakeV2(t, "/")
	g, err := s.Create(Limits{Memory: 64 << 20, Swap: 1 << 20, Pids: 9, CPUs: 1.5})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(g.Procs()); n != 1 {
		t.Fatalf("%d groups to join; want one", n)
	}
	// A common file has no O_TRUNC semantics of its own: what is longer than the value shows behind it.
	got := map[string]string{}
	for _, file := range []string{"memory.max", "memory.swap.max", "pids.max", "cpu.max"} {
		got[file] = content(t, g.dirs[0].path, file)
	}
	want := map[string]string{"memory.max": "67108864", "memory.swap.max": "1048576", "pids.max": "9ax", "cpu.max": "150000 100000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if got, want := content(t, root, "cgroup.subtree_control"), "+memory +pids +cpu"; got != want {
		t.Errorf("cgroup.subtree_control = %q; want %q", got, want)
	}
	if got, want := g.Events(), (Events{MemoryKills: 2, MemoryPeak: 4096, PidsRefused: 7}); got != want {
		t.Errorf("Events() = %+v; want %+v", got, want)
	}
	want2 := []string{"memory limit of 64M reached, 2 processes killed", "limit of 9 processes reached, 7 more refused"}
	if diff := cmp.Diff(want2, g.Reasons()); diff != "" {
		t.Errorf("Reasons() (-want +got):\n%s", diff)
	}
	path := g.dirs[0].path
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Remove: %v; want gone", err)
	}
}

func TestV2KillWritesCgroupKill(t *testing.T) {
	s, _ := fakeV2(t, "/")
	g, err := s.Create(Limits{Pids: 9})
	if err != nil {
		t.Fatal(err)
	}
	dir := g.dirs[0].path
	// An id no process can have: the loop goes on until the file is empty.
	if err := os.WriteFile(dir+"/cgroup.procs", []byte("2147483647\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- g.Kill() }()
	for content(t, dir, "cgroup.kill") != "1" {
	}
	if err := os.Truncate(dir+"/cgroup.procs", 0); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
}

// A group that holds processes can't hand out controllers, whether the kernel
// says so, as of memory, or makes the group threaded, as for pids alone.
func TestV2ClimbsToADelegatedGroup(t *testing.T) {
	for name, inTheWay := range map[string]map[string]string{
		"processes": {"cgroup.type": "domain\n", "cgroup.procs": "7\n"},
		"threaded":  {"cgroup.type": "domain threaded\n", "cgroup.subtree_control": "pids\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s, root := fakeV2(t, "/user/app/run")
			own := filepath.Join(root, "user/app/run")
			for file, text := range inTheWay {
				if err := os.WriteFile(filepath.Join(own, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			before := content(t, own, "cgroup.subtree_control")
			g, err := s.Create(Limits{Pids: 9})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := filepath.Dir(g.dirs[0].path), filepath.Join(root, "user/app"); got != want {
				t.Errorf("group made in %s; want %s", got, want)
			}
			if got := content(t, own, "cgroup.subtree_control"); got != before {
				t.Errorf("the group with processes hands out %q; want %q as before", got, before)
			}
			if err := g.Remove(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestV2ControllerMissing(t *testing.T) {
	s, root := fakeV2(t, "/")
	if err := os.WriteFile(filepath.Join(root, "cgroup.controllers"), []byte("memory cpuset\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(root)
	_, err := s.Create(Limits{Memory: 1 << 20, CPUs: 1})
	var unavailable *Error
	if !errors.As(err, &unavailable) || !errors.Is(err, ErrUnavailable) {
		t.Fatalf("Create without the cpu controller = %v; want an *Error", err)
	}
	if !strings.Contains(err.Error(), `"cpu"`) || !strings.Contains(err.Error(), "Delegate=yes") {
		t.Errorf("error %q; want it to name the controller and the cure", err)
	}
	after, _ := os.ReadDir(root)
	if len(after) != len(before) {
		t.Errorf("a refused Create left something behind: %v", after)
	}
}

func TestSwapAccountingMissing(t *testing.T) {
	d := &dir{path: t.TempDir(), hierarchy: &Hierarchy{V2: true}}
	err := d.swap("memory.swap.max", 0)
	if swapExists() != errors.Is(err, errNoSwapAccount) {
		t.Errorf("swap limit without accounting = %v with swap on: %v", err, swapExists())
	}
}

func TestRemoveErrors(t *testing.T) {
	refuse := func(errno syscall.Errno) tree {
		return tree{rmdir: func(path string) error { return &os.PathError{Op: "rmdir", Path: path, Err: errno} }}
	}
	for errno, want := range map[syscall.Errno]error{
		syscall.EACCES: syscall.EACCES,
		syscall.EBUSY:  syscall.EBUSY, // nothing below: processes keep it
		syscall.ENOENT: nil,           // another swept it
		syscall.ENODEV: nil,
	} {
		if err := refuse(errno).remove(t.TempDir()); !errors.Is(err, want) {
			t.Errorf("remove where rmdir says %v = %v; want %v", errno, err, want)
		}
	}
}
