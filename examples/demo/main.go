// Demo runs a suspicious program twice, bare and behind callgate, and prints
// what it could do each time, line by line.
//
// usage: demo CALLGATE: the callgate program.
//
// The home, the key and the token that the program finds are made up for it,
// and gone afterwards. The bare run harms nothing: it has a mount namespace of
// its own where that takes root.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo CALLGATE")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(w io.Writer, callgate string) error {
	callgate, err := filepath.Abs(callgate)
	if err != nil {
		return err
	}
	s, err := newStage()
	if err != nil {
		return err
	}
	defer s.close()

	fmt.Fprintln(w, "$ ./suspect")
	bare, err := s.play("./suspect")
	if err != nil {
		return err
	}
	bareHome := s.home.changed()

	gate := []string{"run", "--preset", "agent", "--pids", "64", "--", "./suspect"}
	fmt.Fprintf(w, "$ callgate %s\n\n", strings.Join(gate, " "))
	behind, err := s.play(callgate, gate...)
	if err != nil {
		return err
	}
	bare = append(bare, step{"~/.bashrc afterwards", bareHome})
	behind = append(behind, step{"~/.bashrc afterwards", s.home.changed()})
	return compare(w, bare, behind)
}

// step is one thing the program tried, and what came of it.
type step struct{ name, outcome string }

// play runs the program in the project folder and reads its steps.
func (s *stage) play(name string, args ...string) ([]step, error) {
	if err := s.home.furnish(); err != nil {
		return nil, err
	}
	cmd := exec.Command(name, append(args, s.address(), s.victim())...)
	cmd.Dir = s.project
	cmd.Env = append(os.Environ(), "HOME="+s.home.folder, "GITHUB_TOKEN=ghp_0123456789abcdefghij")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", name, err, stderr.Bytes())
	}
	var steps []step
	for line := range bytes.Lines(out) {
		name, outcome, ok := strings.Cut(strings.TrimSpace(string(line)), "\t")
		if !ok {
			return nil, fmt.Errorf("the program printed %q; want a name, a tab and an outcome", line)
		}
		steps = append(steps, step{name, outcome})
	}
	return steps, nil
}

// compare prints both runs side by side.
func compare(w io.Writer, bare, behind []step) error {
	if len(bare) != len(behind) {
		return errors.New("the two runs tried different things")
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\tbare\tbehind the gate")
	for i := range bare {
		if bare[i].name != behind[i].name {
			return fmt.Errorf("step %d: %q bare, %q behind the gate", i, bare[i].name, behind[i].name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", bare[i].name, bare[i].outcome, behind[i].outcome)
	}
	return table.Flush()
}
