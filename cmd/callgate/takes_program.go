package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// takesProgram makes a command one that runs a program, which its flags precede.
func takesProgram(cmd *cobra.Command, run func(args []string, stdout, stderr io.Writer) error) {
	cmd.Flags().SetInterspersed(false)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s: name a program: callgate %[1]s [flags] -- PROGRAM [ARGUMENT...]", cmd.Name())
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkEmpty(cmd.Flags()); err != nil {
			return exitError{exitFailure, err}
		}
		return run(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
}
