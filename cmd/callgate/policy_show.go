package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

func newPolicyShowCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "show [flags] [POLICY...]",
		Short: "Print a policy with all that it extends, or the program it becomes",
		Long: `Print a policy with all that it extends, as one document. Later policies
override earlier ones; presets come first.

With --bpf, print the seccomp program that the kernel runs at each call, then
what becomes of every call: the action, the line that decides, and whether the
kernel knows beforehand that the call is allowed (bitmap), so that it does not
run the program.`,
		Example: `  callgate policy show agent
  callgate policy show --preset default mail.yaml
  callgate policy show --bpf --arch arm64 default`,
		Args:              takes(0, -1, "policies"),
		ValidArgsFunction: completePolicies(-1),
	}
	presets := cmd.Flags().StringArray("preset", nil, "start from this `preset`; may be repeated")
	bpf := cmd.Flags().Bool("bpf", false, "print the seccomp program")
	_ = cmd.RegisterFlagCompletionFunc("preset", completePresets)
	f.addMachine(cmd)
	f.addOutput(cmd, "yaml", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		names := append(*presets, args...)
		if len(names) == 0 {
			names = []string{"default"}
		}
		return f.show(cmd.OutOrStdout(), names, *bpf)
	}
	return cmd
}

func (f *policyFlags) show(w io.Writer, names []string, bpf bool) error {
	if err := f.checkOutput("yaml", "json"); err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	p, err := openPolicies(names...)
	if err != nil {
		return err
	}
	if bpf {
		return f.showProgram(w, p, target)
	}
	return printPolicy(w, p, f.output)
}

func printPolicy(w io.Writer, p *policy.Policy, format string) error {
	write := document.Marshal
	if format == "json" {
		write = document.JSON
	}
	text, err := write(p)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
