package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/callgate/callgate/internal/sys"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"callgate": main, "call": call, "flood": flood, "probe": probeFiles})
}

var update = flag.Bool("update", false, "rewrite the goldens in testdata/script")

// TestScript runs each session of testdata/script as a user would type it.
// See its README.md. Besides the usual commands
// there are:
//
//	exits CODE COMMAND...    run a command that must end with this exit code
//	needs root REASON        skip unless root runs it
//	needs PROGRAM PACKAGE    skip unless the program is installed
//	feature NAME             skip unless the kernel has it, as doctor names it
//	contained CODE ...       run a command in a container; see container_test.go
//	serves VARIABLE          start a web server, its port in a variable
//	free VARIABLE            a port that is free
//
// CALLGATE is the program's path, for a jail to show it inside; EXAMPLES is the
// folder of those.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Condition:           scriptCondition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"free":      freePort,
			"serves":    serveHTTP,
			"needs":     needsProgram,
			"feature":   needsFeature,
			"contained": contained,
		},
	})
}

func setupScript(env *testscript.Env) error {
	env.Values["t"] = env.T()
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLES", examples)
	env.Setenv("TMPDIR", "/tmp") // the target's own, whatever the tests use
	env.Setenv("GORACE", "atexit_sleep_ms=0")
	if cache, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil { // else the scripts that need go skip
		env.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	}
	for _, folder := range filepath.SplitList(env.Getenv("PATH")) {
		if path := filepath.Join(folder, "callgate"); exec.Command(path, "--version").Run() == nil {
			env.Setenv("CALLGATE", path)
			break
		}
	}
	return nil
}

// scriptCondition knows [root], [static]: a callgate built without cgo, and
// [landlock:6]: Landlock has at least this ABI.
func scriptCondition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "static": // as make builds it; with cgo, and so with the race detector, it is not
		build, _ := debug.ReadBuildInfo()
		return slices.Contains(build.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "0"}), nil
	}
	if text, found := strings.CutPrefix(name, "landlock:"); found {
		abi, _ := sys.LandlockABI() // 0 if there is none
		want, err := strconv.Atoi(text)
		return abi >= want, err
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

func skip(ts *testscript.TestScript, message string) {
	ts.Value("t").(testscript.T).Skip(message)
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGUMENT...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d; want %s", code, args[0])
	}
}

func needsProgram(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: needs PROGRAM PACKAGE or needs root REASON")
	}
	if args[0] == "root" {
		if os.Geteuid() != 0 {
			skip(ts, "needs root: "+args[1])
		}
		return
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		skip(ts, fmt.Sprintf("needs %s: apt-get install %s", args[0], args[1]))
	}
}

func needsFeature(ts *testscript.TestScript, _ bool, args []string) {
	name := strings.Join(args, " ")
	for _, f := range features() {
		if f.Name == name {
			if err := f.Check(); err != nil {
				skip(ts, fmt.Sprintf("kernel lacks: %v", err))
			}
			return
		}
	}
	ts.Fatalf("no feature is called %q", name)
}
