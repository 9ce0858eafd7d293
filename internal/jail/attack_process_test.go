package jail

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/callgate/callgate/internal/attack"
)

const secretInEnvironment = "CALLGATE_TEST_SECRET=9f2c"

// victim starts a process of this user's, in a group of its own, to be attacked.
func victim(t *testing.T, _ *scene) string {
	t.Helper()
	command := exec.Command("/bin/sleep", "1000")
	command.Env = []string{secretInEnvironment}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return strconv.Itoa(command.Process.Pid)
}

// memory is a victim and an address in it, that of its program: while it starts
// it has for a moment our own memory, and then a stack that the kernel moves.
func memory(t *testing.T, s *scene) string {
	t.Helper()
	pid := victim(t, s)
	for {
		maps, err := os.ReadFile("/proc/" + pid + "/maps")
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(maps), "\n")
		if strings.Contains(first, "/") && !strings.HasSuffix(first, testBinary(t)) {
			address, _, _ := strings.Cut(first, "-")
			return fmt.Sprintf("%s|0x%s", pid, address)
		}
	}
}

func environment(t *testing.T, s *scene) string {
	victim(t, s)
	return secretInEnvironment
}

// opened is a file that a process outside, this one, holds open.
func opened(t *testing.T, s *scene) string {
	t.Helper()
	file, err := os.Open(s.outside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return s.outside
}

var processTrials = []trial{
	{attack: "read another's environment", aim: environment, stops: [][]Wall{{Pids, Mounts}, {Landlock, Capabilities}}}, // CAP_PERFMON reads it in spite of Landlock
	{attack: "read through another's root", aim: outside, needs: needsRoot("for a host's /proc in a root of its own"), from: []Wall{Mounts}, stops: each(Pids, Landlock)},
	{attack: "read another's open files", aim: opened, needs: needsRoot("for a host's /proc in a root of its own"), from: []Wall{Mounts}, stops: each(Pids, Landlock)},
	{attack: "trace", aim: victim, stops: each(Pids, Landlock, Filter)},
	{attack: "trace a child", stops: each(Filter)},
	{attack: "read another's memory", aim: memory, stops: each(Pids, Landlock, Filter)},
	{attack: "open another's memory", aim: victim, stops: [][]Wall{{Pids, Mounts}, {Landlock}}},
	{attack: "take another's descriptor", aim: victim, stops: each(Pids, Landlock, Filter)},
	{attack: "signal", aim: victim, landlock: 6, stops: each(Pids, Landlock)},
	{attack: "signal a group", aim: victim, landlock: 6, stops: each(Pids, Landlock)},
	{attack: "signal by pidfd", aim: victim, landlock: 6, stops: each(Pids, Landlock)},
	{attack: "change another's limits", aim: victim, stops: each(Pids), open: "prlimit64 is allowed, and Landlock has no rule for it"},
	{attack: "dump core", needs: needsCoreFiles, stops: each(Limits)},
}

// needsCoreFiles skips where cores do not land in the working directory.
func needsCoreFiles(t *testing.T) {
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern[:1]), "|/@") {
		t.Skipf("kernel lacks: core files in the working directory: core_pattern is %q", pattern)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(4, &limit); err != nil || limit.Max == 0 {
		t.Skip("kernel lacks: core files: the hard limit is 0")
	}
}

// Init shares this program's memory until it ends, and its files are the
// host's: what /proc tells of it must stay closed, even to user id 0.
func TestInitIsClosed(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	for _, aim := range []string{"/proc/1/root/etc/passwd", "/proc/1/cwd/etc/passwd", "/proc/1/exe", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/fd/0", "/proc/1/task/1/mem"} {
		own := "/proc/self/" + strings.TrimPrefix(aim, "/proc/1/")
		if slices.Contains([]string{"/proc/self/root/etc/passwd", "/proc/self/exe", "/proc/self/maps", "/proc/self/environ"}, own) {
			if got := behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "read", own); got != "done" {
				t.Errorf("read %s: %s; want done", own, got)
			}
		}
		if err := refusal(behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "read", aim), attack.Done); err != nil {
			t.Errorf("read %s: %v", aim, err)
		}
		if err := refusal(behind(t, s, s.spec(t), s.allWalls(), testBinary(t), "attack", "write", aim), attack.Done); err != nil {
			t.Errorf("write %s: %v", aim, err)
		}
	}
}

// A process of the target's that outlives it, and ignores every signal, is gone
// when Run returns.
func TestNothingOutlivesTheTarget(t *testing.T) {
	s := newScene(t)
	for name, walls := range map[string][]Wall{"all walls": s.allWalls(), "fallback": s.fallbackWalls()} {
		mark := filepath.Base(filepath.Dir(s.work)) + filepath.Base(t.Name()) + strings.ReplaceAll(name, " ", "-")
		script := `for i in 1 2 3; do setsid sh -c 'trap "" TERM INT HUP; sleep 1000; : ` + mark + `' & done; exit 0`
		if got := behind(t, s, s.spec(t), walls, "/bin/sh", "-c", script); got != "done" {
			t.Errorf("%s: %s", name, got)
		}
		if left := processesNaming(t, mark); len(left) > 0 {
			t.Errorf("%s: still running: %q", name, left)
		}
	}
}

func processesNaming(t *testing.T, mark string) (list []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), mark) {
			list = append(list, string(text))
		}
	}
	return list
}
