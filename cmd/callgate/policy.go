package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// Exit codes of the policy verbs, as grep(1) and diff(1) have them.
const (
	exitNo      = 1 // no: the call is refused, a test failed, the policies differ, the policy is wrong
	exitTrouble = 2 // the question could not be answered
)

// policyFlags are for all verbs that ask about a machine.
type policyFlags struct {
	arch   string
	kernel string
	output string
}

func newPolicyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Begin, check, show, explain, test and convert policies",
		Long: `Begin, check, show, explain, test and convert policies, without running anything.

A POLICY is the name of a preset (callgate policy presets lists them), a YAML
file, or an OCI seccomp profile, whose name ends in .json.

The exit code is 0 for yes, 1 for no (the call is refused, a test failed, the
policies differ, the policy is wrong), and 2 when the question could not be
answered.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, verb := range []*cobra.Command{
		newPolicyCheckCommand(), newPolicyShowCommand(), newPolicyExplainCommand(), newPolicyTestCommand(),
		newPolicyDiffCommand(), newPolicyMergeCommand(), newPolicyImportCommand(), newPolicyExportCommand(),
		newPolicyInitCommand(), newPolicyDigestCommand(), newPolicyPresetsCommand(), newPolicySchemaCommand(),
	} {
		answerTrouble(verb)
		cmd.AddCommand(verb)
	}
	return cmd
}

// answerTrouble gives a verb's errors the exit code of trouble, unless they
// have one.
func answerTrouble(cmd *cobra.Command) {
	run, args := cmd.RunE, cmd.Args
	name := cmd.Name()
	wrap := func(err error) error {
		var exit exitError
		if err == nil || errors.As(err, &exit) {
			return err
		}
		return exitError{exitTrouble, fmt.Errorf("policy %s: %w", name, err)}
	}
	cmd.RunE = func(cmd *cobra.Command, list []string) error { return wrap(run(cmd, list)) }
	cmd.Args = func(cmd *cobra.Command, list []string) error { return wrap(args(cmd, list)) }
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return wrap(fmt.Errorf("%w: callgate policy %s --help lists the flags", err, name))
	})
}

// takes is cobra.MinimumNArgs with an error that says what is missing.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return fmt.Errorf("it takes %s, and got %d words: callgate policy %s --help", what, len(args), cmd.Name())
		}
		return nil
	}
}

func (f *policyFlags) addMachine(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.arch, "arch", "", "answer for this `architecture`: amd64, arm64 or riscv64; the own one when left out")
	cmd.Flags().StringVar(&f.kernel, "kernel", "", "answer for this kernel `version`, such as 6.1; the policy's baseline when left out")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions([]string{"amd64", "arm64", "riscv64"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *policyFlags) addOutput(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringVarP(&f.output, "output", "o", formats[0], "print `"+strings.Join(formats, " or ")+"`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// checkOutput returns an error for a format that is none of those known.
func (f *policyFlags) checkOutput(formats ...string) error {
	for _, known := range formats {
		if f.output == known {
			return nil
		}
	}
	return fmt.Errorf("unknown output format %q: it is %s", f.output, strings.Join(formats, " or "))
}

// target returns the machine that the flags ask about, with the home directory
// and the working directory of whoever asks.
func (f *policyFlags) target() (policy.Target, error) {
	t := policy.Target{Arch: abi.Native()}
	if f.arch != "" {
		arch, ok := abi.ParseArch(f.arch)
		if !ok || arch > abi.RISCV64 {
			return t, fmt.Errorf("--arch: callgate runs on amd64, arm64 and riscv64, not on %q", f.arch)
		}
		t.Arch = arch
	}
	if f.kernel != "" {
		if err := t.Kernel.UnmarshalText([]byte(f.kernel)); err != nil {
			return t, fmt.Errorf("--kernel: %w", err)
		}
	}
	var err error
	if t.Dir, err = os.Getwd(); err != nil {
		return t, fmt.Errorf("find the working directory: %w: go to a folder that exists", err)
	}
	t.Home, err = homeFolder()
	return t, err
}

// painter colors text for a terminal whose user has not set NO_COLOR.
type painter bool

// The colors, as SGR parameters (ECMA-48).
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func newPainter(w io.Writer) painter { return painter(colored(w)) }

func (p painter) paint(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// origin returns where something was written, or "" if nowhere.
func origin(at policy.Origin) string {
	if at == (policy.Origin{}) {
		return ""
	}
	return at.String()
}
