package jail

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/policy"
)

// What is protected and missing can be made by the target, and is told of then.
func TestMade(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	in := func(name string) string { return filepath.Join(s.work, name) }
	path := func(name string) policy.Path { return policy.Path{Text: name, Optional: true} }
	files := &s.policy.Files
	files.ReadOnly = append(files.ReadOnly, path(in("new/config")), path(in("new/hooks")), path(in("settings/new")), path(in("never")), path(in("cover")))
	files.ReadWrite = append(files.ReadWrite, path(in("open")))
	files.Hidden = append(files.Hidden, path(in("key")), path(filepath.Dir(s.readable)+"/new"))
	spec := s.spec(t)
	if got := behind(t, s, spec, s.allWalls(), "/bin/sh", "-c", "mkdir -p new/hooks settings/new open; ln -s nowhere key"); got != "done" {
		t.Fatal(got)
	}
	if err := os.Mkdir(filepath.Dir(s.readable)+"/new", 0o755); err != nil { // by another than the target
		t.Fatal(err)
	}
	var made []string
	for _, a := range spec.Made() {
		made = append(made, a.Path)
	}
	want := []string{in("new/hooks"), in("settings/new"), in("key")}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("Made (-want +got):\n%s", diff)
	}
}

// A file that stands where a protected path needs a folder can't be replaced.
func TestFileInTheWay(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	s.policy.Files.ReadOnly = append(s.policy.Files.ReadOnly, policy.Path{Text: s.hidden + "/hooks", Optional: true})
	for _, command := range []string{"rm cover/hidden", "echo x >cover/hidden", "mv cover moved", "touch x && mv x cover/hidden"} {
		if got := behind(t, s, s.spec(t), s.allWalls(), "/bin/sh", "-c", command); got == "done" {
			t.Errorf("%s: %s; want a failure", command, got)
		}
	}
	if got := behind(t, s, s.spec(t), s.allWalls(), "/bin/sh", "-c", "test -r cover/hidden && touch cover/new"); got != "done" {
		t.Errorf("beside it: %s; want done", got)
	}
}

// Parts of /proc and /dev can be hidden like parts of a folder, ...
func TestHidingKernelFiles(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	for _, name := range []string{"/proc/version", "/proc/sys/kernel/ostype", "/dev/zero"} {
		read := []string{"head", "-c1", name}
		spec := s.spec(t)
		if got := behind(t, s, spec, s.allWalls(), read...); got == "" || got == "EPERM" {
			t.Fatalf("read %s: %q; want a byte", name, got)
		}
		s.policy.Files.Hidden = append(s.policy.Files.Hidden, policy.Path{Text: name})
		if got := behind(t, s, s.spec(t), s.allWalls(), read...); got != "EPERM" { // head's exit code is 1
			t.Errorf("read the hidden %s: %q; want a failure", name, got)
		}
	}
	// ... but not a process's own folder,
	s.policy.Files.Hidden = []policy.Path{{Text: "/proc/self/maps"}}
	if err := Apply(&Spec{}, s.policy, s.target); err == nil {
		t.Error("Apply hides /proc/self/maps; want an error")
	}
}

// and in the machine's own /proc, without mounts, nothing can be hidden.
func TestHidingKernelFilesWithoutMounts(t *testing.T) {
	s := newScene(t)
	s.policy.Files.Hidden = append(s.policy.Files.Hidden, policy.Path{Text: "/dev/zero"})
	spec := s.spec(t)
	if got := behind(t, s, spec, s.fallbackWalls(), "head", "-c1", "/dev/zero"); got != "EPERM" {
		t.Errorf("read the hidden /dev/zero: %q; want a failure", got)
	}
	if err := spec.withoutMounts(&WallError{Wall: Mounts}); err != nil {
		t.Errorf("withoutMounts = %v; want none", err)
	}
	s.policy.Files.Hidden = append(s.policy.Files.Hidden, policy.Path{Text: "/proc/version"})
	if err := s.spec(t).withoutMounts(&WallError{Wall: Mounts}); err == nil {
		t.Error("withoutMounts with a hidden part of /proc = nil; want an error")
	}
}
