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
	for _, d := range given.dirs {
		for _, name := range []string{"", "/cgroup.procs", "/tasks"} {
			if err := os.Chown(d.path+name, ordinaryUser, ordinaryUser); err != nil {
				t.Fatal(err)
			}
		}
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
	for _, procs := range given.Procs() {
		if _, err := fmt.Fprint(procs, cmd.Process.Pid); err != nil {
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
