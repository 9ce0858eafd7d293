// Command callgate runs programs behind a policy at the system-call boundary.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// Exit codes of callgate itself; every other code is the target's, as env(1)
// and docker have it.
const (
	exitTimeout  = 124 // the target was ended at its time-out, as timeout(1) has it
	exitFailure  = 125 // callgate failed before the target ran
	exitNoAccess = 126 // the program may not be executed
	exitNotFound = 127 // there is no such program
)

func main() {
	sys.DeepenStack()
	os.Exit(callgate(os.Args[1:], os.Stdout, os.Stderr))
}

// callgate runs one command line and returns its exit code.
func callgate(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand(args)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintf(stderr, "callgate: %v\n", exit.err)
		}
		return exit.code
	}
	fmt.Fprintf(stderr, "callgate: %v\n", err)
	return exitFailure
}

// version is set by the linker: see the Makefile.
var version = "devel"

// verb is a command of callgate.
type verb struct {
	name    string
	command func() *cobra.Command
}

func verbs() []verb {
	return []verb{
		{"run", newRunCommand},
		{"doctor", newDoctorCommand},
		{"policy", newPolicyCommand},
		{"learn", newLearnCommand},
		{"man", newManCommand},
	}
}

// newRootCommand returns callgate's command line. Where a verb is asked for it
// is the only one made: what a run does not use should cost it nothing.
func newRootCommand(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "callgate",
		Short:         "Guard programs at the system-call boundary, and say why",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: %s --help lists the flags", err, cmd.CommandPath())
	})
	all := verbs()
	if len(args) > 0 {
		if i := slices.IndexFunc(all, func(v verb) bool { return v.name == args[0] }); i >= 0 {
			all = all[i : i+1]
			root.CompletionOptions.DisableDefaultCmd = true
		}
	}
	for _, v := range all {
		root.AddCommand(v.command())
	}
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		completeRun(root)
	}
	return root
}

// noCommand refuses what is no command of cmd's, and says which was meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, below := range cmd.Commands() {
		names = append(names, below.Name())
	}
	return fmt.Errorf("%s has no command %q: %s", cmd.CommandPath(), args[0], policy.Suggest(args[0], names))
}

// exitError carries an exit code, with a message unless err is nil.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }
