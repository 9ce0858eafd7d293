package jail

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/callgate/callgate/policy"
)

var programTrials = []trial{
	{attack: "execute", aim: copyOf("/bin/true", func(s *scene) string { return filepath.Dir(s.readable) }), stops: each(Mounts, Landlock)},
	{attack: "execute by the loader", needs: needsLoader, aim: func(t *testing.T, s *scene) string {
		return loader() + "|" + copyOf("/bin/true", func(s *scene) string { return filepath.Dir(s.readable) })(t, s)
	}, stops: each(Mounts), open: "Landlock asks who executes a file, not who maps it"},
}

// copyOf puts a copy of a program in a folder.
func copyOf(program string, folder func(*scene) string) func(*testing.T, *scene) string {
	return func(t *testing.T, s *scene) string {
		t.Helper()
		text, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder(s), "program")
		os.Remove(path)
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// loader returns the dynamic loader's path, "" where there is none.
func loader() string {
	for _, pattern := range []string{"/lib64/ld-linux-*.so.*", "/lib/ld-linux-*.so.*"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

func needsLoader(t *testing.T) {
	if loader() == "" {
		t.Skip("needs libc6: the dynamic loader")
	}
}

// What can't be executed as a file can still be read, and so be copied into
// memory and executed there: files.exec says which programs a program finds,
// not which instructions it runs. (The filter and every other wall hold for
// them all the same.)
func TestExecutingFromMemoryIsAllowed(t *testing.T) {
	s := newScene(t)
	aim := copyOf("/bin/true", func(s *scene) string { return filepath.Dir(s.readable) })(t, s)
	if got := behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "execute from memory", aim); got != "done" {
		t.Errorf("%s; want done", got)
	}
}

// A setuid program gives no powers: not by its mount, and not without mounts.
// Behind capabilities alone it is no_new_privs that stops it.
func TestSetuid(t *testing.T) {
	needsRoot("to make a setuid program")(t)
	s := newScene(t)
	s.policy.Files.Exec = slices.DeleteFunc(s.policy.Files.Exec, func(p policy.Path) bool {
		return p.Text == testBinary(t) // in a folder of root's own
	})
	for folder := s.work; folder != "/tmp" && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := copyOf(testBinary(t), func(s *scene) string { return s.work })(t, s)
	if err := os.Chmod(program, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	command := exec.Command(program, "attack", "gain by setuid", "")
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if text, err := command.Output(); err != nil || string(text) != "done\n" {
		t.Fatalf("without a jail: %q, %v; want done", text, err)
	}
	for name, walls := range map[string][]Wall{"all walls": s.allWalls(), "fallback": s.fallbackWalls(), "capabilities": {Capabilities}} {
		spec := s.spec(t)
		spec.UID, spec.GID = nobody, nobody
		if got := behind(t, s, spec, walls, program, "attack", "gain by setuid", ""); got != "EPERM" {
			t.Errorf("%s: %s; want EPERM", name, got)
		}
	}
}
