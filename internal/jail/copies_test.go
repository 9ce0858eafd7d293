package jail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/digest"
	"github.com/callgate/callgate/policy"

	"github.com/callgate/callgate/abi"
)

// tool writes a program that prints a word into a folder of the scene's.
func (s *scene) tool(t *testing.T, word string) string {
	t.Helper()
	path := filepath.Join(s.work, "tools", "tool")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho "+word+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// digest has the policy execute a program as the bytes that it has now.
func (s *scene) digest(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.policy.Files.Digests = append(s.policy.Files.Digests, policy.Program{Path: policy.Path{Text: path}, Digest: digest.Sum(text)})
}

// What is executed is what was verified, whoever changes the file meanwhile.
func TestProgramByDigest(t *testing.T) {
	needsNamespaces(t)
	changes := map[string]func(t *testing.T, s *scene, path string){
		"nobody": func(*testing.T, *scene, string) {},
		"written to": func(t *testing.T, s *scene, path string) {
			s.tool(t, "evil")
		},
		"replaced": func(t *testing.T, s *scene, path string) {
			if err := os.Rename(path, path+"-away"); err != nil {
				t.Error(err)
			}
			s.tool(t, "evil")
		},
	}
	for name, change := range changes {
		for _, by := range []string{"digest", "path"} {
			s := newScene(t)
			path := s.tool(t, "verified")
			want := "evil" // the change works where nothing was verified
			if by == "digest" || name == "nobody" {
				want = "verified"
			}
			if by == "digest" {
				s.digest(t, path)
			}
			spec := s.spec(t)
			spec.Starting = func() error { change(t, s, path); return nil }
			if got := behind(t, s, spec, s.allWalls(), path); got != want {
				t.Errorf("by %s, changed: %s: %q; want %q", by, name, got, want)
			}
		}
	}
}

// The program itself can't change what it may execute.
func TestReplaceProgram(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	path := s.tool(t, "verified")
	try := func() string {
		return behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "replace a program", path)
	}
	if got := try(); got != "done" {
		t.Fatalf("by its path: %s; want done", got)
	}
	s.digest(t, path)
	if got := try(); got != "EBUSY" {
		t.Errorf("by its digest: %s; want EBUSY", got)
	}
}

func TestBadPrograms(t *testing.T) {
	needsNamespaces(t)
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *scene, path string)
		want   string
	}{
		{"another digest", func(t *testing.T, s *scene, path string) { s.tool(t, "evil") }, "it has another one, sha256:"},
		{"missing", func(t *testing.T, s *scene, path string) { os.Remove(path) }, "no such file or directory"},
		{"a link", func(t *testing.T, s *scene, path string) {
			os.Rename(path, path+"-away")
			os.Symlink("tool-away", path)
		}, `a link leads from there to`},
		{"below a link", func(t *testing.T, s *scene, path string) {
			os.Rename(filepath.Dir(path), filepath.Dir(path)+"-away")
			os.Symlink("tools-away", filepath.Dir(path))
		}, `a link leads from there to`},
		{"a folder", func(t *testing.T, s *scene, path string) {
			os.Remove(path)
			os.Mkdir(path, 0o755)
		}, "it is a folder: name each program in it"},
		{"empty", func(t *testing.T, s *scene, path string) { os.Truncate(path, 0) }, "it is empty: name a program"},
		{"no program", func(t *testing.T, s *scene, path string) { os.Chmod(path, 0o644) }, "it is not marked executable: chmod +x"},
		{"too large", func(t *testing.T, s *scene, path string) { os.Truncate(path, maxCopies+1) }, "more than 512 MiB together"},
	} {
		s := newScene(t)
		path := s.tool(t, "verified")
		s.digest(t, path)
		c.change(t, s, path)
		spec := &Spec{}
		Outline(spec, s.policy)
		err := Apply(spec, s.policy, s.target)
		if err == nil {
			s.finish(spec)
			spec.Args = []string{"/bin/true"}
			streams(t, spec)
			_, err = attemptWith(s, spec, s.allWalls())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want one with %q", c.name, err, c.want)
		}
	}
}

// Without mounts nothing can stand in for the file: nothing is run.
func TestProgramByDigestNeedsMounts(t *testing.T) {
	s := newScene(t)
	s.digest(t, s.tool(t, "verified"))
	spec := s.spec(t)
	spec.Args = []string{"/bin/true"}
	failed := &WallError{Wall: Mounts, Step: "mount", Errno: 1}
	if _, err := spec.without(wallSet{Mounts: true}, failed); err == nil {
		t.Error("an optional wall: want an error")
	}
	spec.Optional = []Wall{Mounts}
	if _, err := spec.without(wallSet{Mounts: true}, failed); err == nil || !strings.Contains(err.Error(), "only mounts can have a copy stand in for it") {
		t.Errorf("without mounts: %v; want an error", err)
	}
	streams(t, spec)
	if _, err := attemptWith(s, spec, s.fallbackWalls()); err == nil || !strings.Contains(err.Error(), "only mounts") {
		t.Errorf("behind what is left: %v; want an error", err)
	}
}

// Where only what is listed may be executed, nothing else is, by no way round.
func TestExecOnly(t *testing.T) {
	needsNamespaces(t)
	needsLoader(t)
	libraries, err := filepath.EvalSymlinks(loader())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		attack, want string
		aim          func(program string, s *scene) string
	}{
		{"execute", "EACCES", func(program string, s *scene) string { return program }},
		{"execute by the loader", "the loader refused", func(program string, s *scene) string { return loader() + "|" + program }},
		{"execute a copy", "EACCES", func(program string, s *scene) string { return program + "|/tmp" }},
		{"execute a copy", "EACCES", func(program string, s *scene) string { return program + "|" + s.work }},
		{"execute from memory", "EPERM", func(program string, s *scene) string { return program }},
	} {
		s := newScene(t)
		aim := c.aim(copyOf("/bin/true", func(s *scene) string { return s.work })(t, s), s)
		try := func() string {
			return behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", c.attack, aim)
		}
		if got := try(); got != "done" {
			t.Errorf("%s, with the default policy: %s; want done", c.attack, got)
		}
		var only policy.Policy
		only.Files.ExecOnly = policy.Given("test", true)
		only.Files.Exec = []policy.Path{{Text: filepath.Dir(libraries)}}
		only.Syscalls.Rules = []policy.Rule{{Then: policy.Do(filter.Errno(abi.EPERM)), Calls: []policy.Name{{Text: "memfd_create"}}}}
		s.policy = policy.Merge(s.policy.Expand(s.target), &only)
		s.digest(t, testBinary(t))
		if got := try(); got != c.want {
			t.Errorf("%s, of what isn't listed: %s; want %s", c.attack, got, c.want)
		}
	}
}
