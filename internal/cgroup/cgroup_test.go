package cgroup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary play the confined process: with CGROUP_VICTIM
// set it joins the group by the descriptors it inherited and misbehaves.
func TestMain(m *testing.M) {
	if role := os.Getenv("CGROUP_VICTIM"); role != "" {
		os.Exit(victim(role))
	}
	os.Exit(m.Run())
}

// Exit statuses of the victim.
const (
	joinFailed = 3
	unbounded  = 4
)

func victim(role string) int {
	groups, _ := strconv.Atoi(os.Getenv("CGROUP_COUNT"))
	for fd := range groups {
		if _, err := os.NewFile(uintptr(3+fd), "cgroup.procs").WriteString("0"); err != nil {
			fmt.Fprintln(os.Stderr, "join:", err)
			return joinFailed
		}
	}
	switch role {
	case "memory":
		held := make([][]byte, 256)
		for i := range held {
			held[i] = bytes.Repeat([]byte{1}, 1<<20)
		}
		runtime.KeepAlive(held)
		return unbounded
	case "pids":
		var children []*exec.Cmd
		for range 200 {
			cmd := exec.Command("/bin/sleep", "60")
			if err := cmd.Start(); err != nil {
				fmt.Printf("%d %v\n", len(children), errors.Is(err, syscall.EAGAIN))
				for _, child := range children {
					child.Process.Kill()
					child.Wait()
				}
				return 0
			}
			children = append(children, cmd)
		}
		return unbounded
	case "delegate":
		if err := delegate(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	case "flee": // leaves a process behind that ignores hints to stop
		cmd := exec.Command("/bin/sh", "-c", `trap "" TERM HUP INT; sleep 60 & echo $!; wait`)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		said, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return 1
		}
		line, _ := bufio.NewReader(said).ReadString('\n')
		fmt.Print(cmd.Process.Pid, " ", line)
		return 0
	}
	return 0
}

// create makes a real group, or skips the test where this user may not.
func create(t *testing.T, limits Limits) *Group {
	t.Helper()
	g, err := Create(limits)
	if errors.Is(err, ErrUnavailable) && os.Geteuid() != 0 {
		t.Skipf("needs root: %v", err)
	}
	if err != nil {
		t.Fatalf("Create(%+v): %v", limits, err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Kill(), g.Remove()); err != nil {
			t.Error(err)
		}
	})
	return g
}

func run(t *testing.T, g *Group, role string) (output string, state *os.ProcessState) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "CGROUP_VICTIM="+role, fmt.Sprintf("CGROUP_COUNT=%d", len(g.Procs())))
	cmd.ExtraFiles = g.Procs()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState
}

func TestMemoryLimitKills(t *testing.T) {
	g := create(t, Limits{Memory: 64 << 20})
	_, state := run(t, g, "memory")
	status := state.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("a process using 256M in a group of 64M: %v; want killed", state)
	}
	e := g.Events()
	if e.MemoryKills == 0 || e.MemoryPeak < 32<<20 || e.MemoryPeak > 65<<20 {
		t.Errorf("Events() = %+v; want a kill and a peak close to 64M", e)
	}
	if got, want := strings.Join(g.Reasons(), "; "), "memory limit of 64M reached, 1 process killed"; got != want {
		t.Errorf("Reasons() = %q; want %q", got, want)
	}
}

func TestPidsLimitRefuses(t *testing.T) {
	const limit = 32
	g := create(t, Limits{Pids: limit})
	out, state := run(t, g, "pids")
	var started int
	var again bool
	if _, err := fmt.Sscan(out, &started, &again); err != nil {
		t.Fatalf("victim said %q, %v", out, state)
	}
	if started >= limit || !again {
		t.Errorf("%d processes started, the next refused with EAGAIN: %v; want fewer than %d, true", started, again, limit)
	}
	if e := g.Events(); e.PidsRefused == 0 || e.MemoryKills != 0 {
		t.Errorf("Events() = %+v; want refusals only", e)
	}
}

func TestCPULimitIsWritten(t *testing.T) {
	g := create(t, Limits{CPUs: 0.5})
	d := g.dirs[0]
	file, want := "cpu.cfs_quota_us", "50000"
	if d.hierarchy.V2 {
		file, want = "cpu.max", "50000 100000"
	}
	got, err := os.ReadFile(filepath.Join(d.path, file))
	if err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("%s = %q, %v; want %s", file, got, err, want)
	}
}

func TestKillReachesWhatFled(t *testing.T) {
	for _, limits := range []Limits{{Pids: 32}, {Memory: 64 << 20, Pids: 32}} {
		g := create(t, limits)
		out, _ := run(t, g, "flee")
		var left [2]int
		if _, err := fmt.Sscan(out, &left[0], &left[1]); err != nil {
			t.Fatalf("victim said %q", out)
		}
		for _, pid := range left {
			if err := syscall.Kill(pid, 0); err != nil {
				t.Fatalf("process %d did not flee: %v", pid, err)
			}
		}
		if err := g.Kill(); err != nil {
			t.Fatal(err)
		}
		if processes, err := g.dirs[0].processes(); err != nil || len(processes) != 0 {
			t.Errorf("after Kill the group holds %v, %v", processes, err)
		}
	}
}

func TestNothingIsLeft(t *testing.T) {
	g := create(t, Limits{Memory: 64 << 20, Pids: 16, CPUs: 1})
	var paths []string
	for _, d := range g.dirs {
		paths = append(paths, d.path)
		if err := os.Mkdir(filepath.Join(d.path, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, g, "nothing")
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after Remove: %v; want gone", path, err)
		}
	}
}

func TestSweepTakesOnlyTheDead(t *testing.T) {
	alive := create(t, Limits{Pids: 16})
	dead := create(t, Limits{Pids: 16})
	wasAlive, wasDead := folders(t, alive), folders(t, dead)
	for _, d := range dead.dirs {
		d.lock.Close() // what the kernel does when the maker dies
	}
	create(t, Limits{Pids: 16})
	for i, d := range alive.dirs {
		if !same(d.path, wasAlive[i]) {
			t.Errorf("a living maker's group %s was swept", d.path)
		}
	}
	for i, d := range dead.dirs {
		if same(d.path, wasDead[i]) {
			t.Errorf("a dead maker's group %s is still there", d.path)
		}
	}
}

func folders(t *testing.T, g *Group) (infos []os.FileInfo) {
	t.Helper()
	for _, d := range g.dirs {
		info, err := d.lock.Stat()
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	return infos
}

// same tells whether a folder is still the one it was: a swept name may have
// been taken again at once.
func same(path string, was os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(now, was)
}

func TestZeroLimitsMakeNothing(t *testing.T) {
	g, err := Create(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(g.Procs()); n != 0 {
		t.Errorf("%d groups; want none", n)
	}
	if err := errors.Join(g.Kill(), g.Remove()); err != nil {
		t.Error(err)
	}
}

func BenchmarkCreateRemove(b *testing.B) {
	for b.Loop() {
		g, err := Create(Limits{Memory: 64 << 20, Pids: 16, CPUs: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Remove(); err != nil {
			b.Fatal(err)
		}
	}
}
