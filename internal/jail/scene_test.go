package jail

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/attack"
	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// The test binary is also the program that attacks.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "attack" {
		attack.Main(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// scene is a small world: a folder that the default policy lets the target
// write to, and beside it a file to read and one that is none of its business.
type scene struct {
	work     string // the working directory, writable
	hidden   string // a file below work, hidden once protected
	guarded  string // a file two folders below work, in a folder that is then read-only
	readable string // a file in a folder that may be read, not written
	outside  string // a file that the policy does not name
	host     host
	policy   *policy.Policy
	target   policy.Target
}

func newScene(t *testing.T) *scene {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{
		work:     filepath.Join(dir, "work"),
		hidden:   filepath.Join(dir, "work/cover/hidden"),
		guarded:  filepath.Join(dir, "work/settings/hooks/guarded"),
		readable: filepath.Join(dir, "readable/file"),
		outside:  filepath.Join(dir, "outside/secret"),
	}
	for _, file := range []string{s.hidden, s.guarded, s.readable, s.outside} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("secret"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s.host, err = thisHost(); err != nil {
		t.Fatal(err)
	}
	s.host.complete()
	if s.policy, err = document.Load(os.ReadFile, "default"); err != nil {
		t.Fatal(err)
	}
	s.target = policy.Target{Arch: abi.Native(), Dir: s.work, Home: dir}
	files := &s.policy.Files
	files.Exec = append(files.Exec, policy.Path{Text: testBinary(t)})
	files.ReadOnly = append(files.ReadOnly, policy.Path{Text: filepath.Dir(s.readable)})
	return s
}

// protect has the policy withhold parts of the writable folder, which it can't
// where there are no mounts.
func (s *scene) protect() {
	files := &s.policy.Files
	files.ReadOnly = append(files.ReadOnly, policy.Path{Text: filepath.Dir(s.guarded)})
	files.Hidden = append(files.Hidden, policy.Path{Text: s.hidden})
}

// spec is the default policy with the scene's own paths.
func (s *scene) spec(t *testing.T) *Spec {
	t.Helper()
	spec := &Spec{}
	Outline(spec, s.policy)
	if err := Apply(spec, s.policy, s.target); err != nil {
		t.Fatal(err)
	}
	return s.finish(spec)
}

// finish adds what a policy does not say.
func (s *scene) finish(spec *Spec) *Spec {
	spec.Env = []string{"PATH=/usr/bin:/bin", "GORACE=atexit_sleep_ms=0"}
	spec.Filter = func(func(Wall) bool) (filter.Program, error) {
		compiled, err := s.policy.Filter(s.target)
		if err != nil {
			return nil, err
		}
		return compiled.Filter.Compile()
	}
	return spec
}

// openRoot replaces the root by the host's own, writable: a mount namespace
// that hides nothing, for attacks that may only be tried inside one.
func openRoot(s *Spec) {
	s.Mounts = []Mount{{Kind: Bind, Target: "/", Source: "/", Access: Read | Write | Execute, Folder: true}, {Kind: Proc, Target: "/proc", Folder: true}}
}

func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// behind runs arguments behind exactly the walls given and returns what they
// printed on standard output, or how they failed.
func behind(t *testing.T, s *scene, spec *Spec, walls []Wall, args ...string) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	spec.Args, spec.Stdout = args, write
	if spec.Stdin == nil {
		spec.Stdin = null
	}
	if spec.Stderr == nil {
		spec.Stderr = null
	}
	status, err := attemptWith(s, spec, walls)
	write.Close()
	text, _ := io.ReadAll(read)
	return outcome(status, err, string(text))
}

// attemptWith starts a target behind exactly the walls given.
func attemptWith(s *scene, spec *Spec, walls []Wall) (syscall.WaitStatus, error) {
	set := wallSet{}
	for _, w := range walls {
		set[w] = true
	}
	runtime.LockOSThread() // init dies with the thread that started it
	defer runtime.UnlockOSThread()
	status, _, err := spec.attempt(s.host, set, nil)
	return status, err
}

func outcome(status syscall.WaitStatus, err error, text string) string {
	switch {
	case err != nil:
		return "not started: " + err.Error()
	case status.Signaled():
		return "killed by " + strings.ToUpper(status.Signal().String())
	case text == "" && status.ExitStatus() == 0:
		return attack.Done
	case text == "":
		return outcomeOf(status.ExitStatus())
	}
	return strings.TrimSpace(text)
}

// outcomeOf names the errno that a program without a voice exited with.
func outcomeOf(code int) string { return abi.Errno(code).Name() }

// allWalls are those of an ordinary start, but for the cgroup; without
// namespaces, those that are left.
func (s *scene) allWalls() []Wall {
	var list []Wall
	for _, w := range Walls() {
		if w != Cgroup && (w != User || !s.host.privileged) && s.canHave(w) {
			list = append(list, w)
		}
	}
	return list
}

// canHave tells whether this kernel lets this user have a wall, as to namespaces.
func (s *scene) canHave(walls ...Wall) bool {
	return probe.MountNamespaces.Check() == nil ||
		!slices.ContainsFunc(walls, func(w Wall) bool { return slices.Contains(namespaceWalls, w) })
}

// fallbackWalls are those of a user who may not create namespaces.
func (s *scene) fallbackWalls() []Wall {
	return slices.DeleteFunc(s.allWalls(), func(w Wall) bool { return slices.Contains(namespaceWalls, w) })
}

// with adds walls, and the user namespace that an ordinary user needs for them.
func (s *scene) with(walls []Wall, more ...Wall) []Wall {
	walls = append(slices.Clone(walls), more...)
	if !s.host.privileged && slices.ContainsFunc(walls, func(w Wall) bool { return slices.Contains(namespaceWalls, w) }) && !slices.Contains(walls, User) {
		walls = append(walls, User)
	}
	return walls
}
