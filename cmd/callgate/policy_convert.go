package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy/oci"
)

func newPolicyMergeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "merge POLICY POLICY...",
		Short: "Print several policies as one document; later ones override earlier ones",
		Long: `Print several policies, with all that they extend, as one document that needs
none of them. Later policies override earlier ones, as --policy does in
"callgate run". Tests are those of the last policy.`,
		Example:           `  callgate policy merge default mail.yaml >merged.yaml`,
		Args:              takes(2, -1, "two policies or more"),
		ValidArgsFunction: completePolicies(-1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := openPolicies(args...)
			if err != nil {
				return err
			}
			return printPolicy(cmd.OutOrStdout(), p, "yaml")
		},
	}
}

func newPolicyImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import PROFILE",
		Short: "Print an OCI seccomp profile, such as Docker's, as a policy",
		Long: `Print an OCI seccomp profile as a policy of the same decisions. Nothing is lost:
"callgate policy export" gives the same profile back. A PROFILE is a JSON file
as Docker, Podman and runc take them, or - for the standard input.

A profile speaks of calls alone, as a container brings the rest: the policy's
files, network and variables are those of the preset oci.`,
		Example:           `  callgate policy import /usr/share/containers/seccomp.json >podman.yaml`,
		Args:              takes(1, 1, "one profile"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			return importPolicy(cmd.OutOrStdout(), cmd.InOrStdin(), args[0])
		},
	}
}

// standardInput is what messages call the file "-".
const standardInput = "standard input"

func importPolicy(w io.Writer, stdin io.Reader, name string) error {
	var text []byte
	var err error
	if name == "-" {
		name = standardInput
		text, err = io.ReadAll(io.LimitReader(stdin, maxFile+1))
	} else {
		text, err = readPolicyFile(name)
	}
	if err != nil {
		return err
	}
	p, err := importProfile(name, text)
	if err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	if name == standardInput {
		p.Name = ""
	}
	if _, err := fmt.Fprintf(w, "# Imported from %s, which speaks of calls alone: the rest is that of the preset oci.\n", filepath.Base(name)); err != nil {
		return err
	}
	return printPolicy(w, p, "yaml")
}

func newPolicyExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export POLICY",
		Short: "Print what a policy says of calls as an OCI seccomp profile",
		Long: `Print what a policy says of calls as an OCI seccomp profile, which Docker, Podman
and Kubernetes take. Runtimes try a profile's rules in no order, so rules whose
order matters are taken apart into rules that exclude one another.

What a profile cannot say (files, limits, ...) is named on the standard error,
and is no failure, but with --strict. What it would decide in another way is:
nothing is printed then.

The exit code is 0, or 1 when something is lost and --strict was given, or 2.`,
		Example: `  callgate policy export default >seccomp.json
  docker run --security-opt seccomp=seccomp.json debian`,
		Args:              takes(1, 1, "one policy"),
		ValidArgsFunction: completePolicies(1),
	}
	strict := cmd.Flags().Bool("strict", false, "fail when something is lost")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return exportPolicy(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], *strict)
	}
	return cmd
}

func exportPolicy(w, stderr io.Writer, name string, strict bool) error {
	p, err := openPolicies(name)
	if err != nil {
		return err
	}
	profile, lost, err := oci.Export(p)
	if err != nil {
		return err
	}
	text, err := profile.JSON()
	if err != nil {
		return err
	}
	for _, l := range lost {
		fmt.Fprintf(stderr, "callgate: policy export: %v\n", l)
	}
	if strict && len(lost) > 0 {
		return exitError{exitNo, errors.New("policy export: nothing is printed, as the profile would say less than the policy")}
	}
	_, err = w.Write(text)
	return err
}
