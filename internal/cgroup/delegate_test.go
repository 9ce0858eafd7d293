package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const ordinaryUser = 65534

// TestDelegatedGroup has root hand a group to an ordinary user, who then makes
// one below it, joins it and removes it.
func TestDelegatedGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: to hand a group to another user")
	}
	given := create(t, Limits{Pids: 32})
	var entries []string // where the user's process goes in
	for _, d := range given.dirs {
		entries = append(entries, handOver(t, d))
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "CGROUP_VICTIM=delegate")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}}
	cmd.Stderr = os.Stderr
	start, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.WriteFile(entry, fmt.Append(nil, cmd.Process.Pid), 0); err != nil {
			t.Error(err)
		}
	}
	start.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got, want := out.String(), "joined removed"; got != want {
		t.Errorf("ordinary user in a group of its own: %q; want %q", got, want)
	}
}

// handOver gives a group to the ordinary user and returns the file by which a
// process enters: on version 2 that of a group below, as a group that hands out
// controllers can't hold processes.
func handOver(t *testing.T, d *dir) (entry string) {
	t.Helper()
	give := func(dir string, files ...string) {
		for _, name := range append(files, "", "/cgroup.procs") {
			if err := os.Chown(dir+name, ordinaryUser, ordinaryUser); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !d.hierarchy.V2 {
		give(d.path, "/tasks")
		return d.path + "/cgroup.procs"
	}
	scope := d.path + "/scope"
	if err := os.Mkdir(scope, 0o755); err != nil {
		t.Fatal(err)
	}
	give(d.path, "/cgroup.subtree_control", "/cgroup.threads")
	give(scope, "/cgroup.subtree_control", "/cgroup.threads")
	return scope + "/cgroup.procs"
}

// delegate is the victim's role: its standard input ends once it is in the
// group it was given.
func delegate() error {
	os.Stdin.Read(make([]byte, 1))
	g, err := Create(Limits{Pids: 8})
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "CGROUP_VICTIM=join", fmt.Sprintf("CGROUP_COUNT=%d", len(g.Procs())))
	cmd.ExtraFiles = g.Procs()
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.Join(err, g.Remove())
	}
	fmt.Print("joined ")
	if err := g.Remove(); err != nil {
		return err
	}
	fmt.Print("removed")
	return nil
}
