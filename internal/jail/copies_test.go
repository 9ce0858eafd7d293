package jail

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/internal/digest"
	"github.com/callgate/callgate/policy"
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

// listed has nothing be executed but the shell and this test.
func (s *scene) listed(t *testing.T) {
	t.Helper()
	libraries, err := filepath.EvalSymlinks(loader())
	if err != nil {
		t.Fatal(err)
	}
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	var only policy.Policy
	only.Files.ExecOnly = policy.Given("test", true)
	only.Files.Exec = []policy.Path{{Text: filepath.Dir(libraries)}, {Text: shell}, {Text: testBinary(t)}}
	s.policy = policy.Merge(s.policy.Expand(s.target), &only)
}

// What is executed is what was verified, whoever changes the file meanwhile. One
// that is replaced outside may become one that can't be executed.
func TestProgramByDigest(t *testing.T) {
	needsNamespaces(t)
	needsLoader(t)
	changes := map[string]func(t *testing.T, s *scene, path string){
		"nobody": func(*testing.T, *scene, string) {},
		"written to": func(t *testing.T, s *scene, path string) {
			s.tool(t, "evil")
		},
		"replaced": func(t *testing.T, s *scene, path string) {
			if err := os.Rename(newScene(t).tool(t, "evil"), path); err != nil { // at once: it is never missing
				t.Error(err)
			}
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
				s.listed(t)
				s.digest(t, path)
			}
			spec := s.spec(t)
			spec.Starting = func() error { change(t, s, path); return nil }
			got := behind(t, s, spec, s.allWalls(), path)
			if by == "digest" && name == "replaced" && strings.Contains(got, "permission denied") {
				continue // the copy went with the file
			}
			if got != want {
				t.Errorf("by %s, changed: %s: %q; want %q", by, name, got, want)
			}
		}
	}
}

// The program itself can't change what it may execute.
func TestReplaceProgram(t *testing.T) {
	needsNamespaces(t)
	needsLoader(t)
	s := newScene(t)
	path := s.tool(t, "verified")
	try := func() string {
		return behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "replace a program", path)
	}
	if got := try(); got != "done" {
		t.Fatalf("by its path: %s; want done", got)
	}
	s.listed(t)
	s.digest(t, path)
	if got := try(); got != "EBUSY" {
		t.Errorf("by its digest: %s; want EBUSY", got)
	}
}

func TestBadPrograms(t *testing.T) {
	needsNamespaces(t)
	needsLoader(t)
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
		s.listed(t)
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

// After its file is replaced outside, a program can't be executed: the copy goes
// with the file, and what is there instead is not executable.
func TestProgramReplacedWhileRunning(t *testing.T) {
	needsNamespaces(t)
	needsLoader(t)
	s := newScene(t)
	path := s.tool(t, "verified")
	s.listed(t)
	s.digest(t, path)
	spec := s.spec(t)
	input, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output := streams(t, spec)
	spec.Stdin = input
	shell, _ := filepath.EvalSymlinks("/bin/sh")
	spec.Args = []string{shell, "-c", "$0; read line; $0 || echo refused", path}
	ended := make(chan error, 1)
	go func() {
		_, err := attemptWith(s, spec, s.allWalls())
		spec.Stdout.Close()
		ended <- err
	}()
	lines := bufio.NewReader(output)
	if line, err := lines.ReadString('\n'); line != "verified\n" {
		t.Errorf("before: %q, %v; want verified", line, err)
	}
	if err := os.Rename(path, path+"-away"); err != nil {
		t.Error(err)
	}
	s.tool(t, "evil")
	feed.Close()
	if line, err := lines.ReadString('\n'); line != "refused\n" {
		t.Errorf("after: %q, %v; want refused", line, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Where all may be executed, so would be what takes the file's place.
func TestProgramByDigestInAnExecutableFolder(t *testing.T) {
	s := newScene(t)
	s.digest(t, s.tool(t, "verified"))
	err := Apply(&Spec{}, s.policy, s.target)
	if err == nil || !strings.Contains(err.Error(), "may be executed, and so would be what somebody puts in its place") {
		t.Errorf("%v; want an error", err)
	}
}

// Without mounts nothing can stand in for the file: nothing is run.
func TestProgramByDigestNeedsMounts(t *testing.T) {
	needsLoader(t)
	s := newScene(t)
	s.listed(t)
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
		{"execute from memory", "EACCES", func(program string, s *scene) string { return program }},
		{"execute from sealed memory by the loader", "EACCES", func(program string, s *scene) string { return loader() + "|" + program }},
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
		s.policy = policy.Merge(s.policy.Expand(s.target), &only)
		s.digest(t, testBinary(t))
		if got := try(); got != c.want {
			t.Errorf("%s, of what isn't listed: %s; want %s", c.attack, got, c.want)
		}
	}
}
