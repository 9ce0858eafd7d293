package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy"
)

func newPolicyTestCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "test [flags] POLICY...",
		Short: "Ask the questions that policies hold under tests",
		Long: `Ask the questions that policies hold under tests, and print those whose answer
is not the expected one: where it stands, the answer, and the line that decided.
No program runs and no file is looked at; "~" is /home/user and "." its work
directory, so that the answers are the same everywhere.

The exit code is 0 when every answer is the expected one, 1 when one is not, and
2 when a policy could not be read.`,
		Example: `  callgate policy test mail.yaml
  callgate policy test --arch arm64 -v default`,
		Args:              takes(1, -1, "policies"),
		ValidArgsFunction: completePolicies(-1),
	}
	verbose := cmd.Flags().BoolP("verbose", "v", false, "print the expected answers too")
	f.addMachine(cmd)
	f.addOutput(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.test(cmd.OutOrStdout(), args, *verbose) }
	return cmd
}

// outcome is a test's result for other programs.
type outcome struct {
	At     string `json:"at"`
	Call   string `json:"call"`
	Want   string `json:"want"`
	Got    string `json:"got,omitempty"`
	Passed bool   `json:"passed"`
	Wall   string `json:"wall,omitempty"`
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"` // the line that decided
	text   string
}

func (f *policyFlags) test(w io.Writer, names []string, verbose bool) error {
	if err := f.checkOutput("text", "json"); err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	target.Home, target.Dir = "", ""
	all, failed := []outcome{}, 0
	for _, name := range names {
		outcomes, err := outcomesOf(name, target)
		if err != nil {
			return err
		}
		bad, err := f.printOutcomes(w, name, outcomes, verbose)
		if err != nil {
			return err
		}
		failed += bad
		all = append(all, outcomes...)
	}
	if f.output == "json" {
		if err := printJSON(w, all); err != nil {
			return err
		}
	}
	if failed > 0 {
		return exitError{code: exitNo}
	}
	return nil
}

func outcomesOf(name string, target policy.Target) ([]outcome, error) {
	p, err := openPolicies(name)
	if err != nil {
		return nil, err
	}
	results, err := p.RunTests(target)
	if err != nil {
		return nil, err
	}
	var out []outcome
	for _, r := range results {
		o := outcome{
			At: r.Test.At.String(), Call: r.Test.Call, Want: r.Test.Then.String(), Got: r.Answer.Action.String(),
			Passed: r.Passed(), Wall: r.Answer.Wall, Reason: r.Answer.Reason, By: origin(r.Answer.At), text: r.String(),
		}
		if r.Err != nil {
			o.Reason = r.Err.Error()
		}
		out = append(out, o)
	}
	return out, nil
}

// printOutcomes prints a policy's outcomes, unless they are wanted as JSON, and
// returns how many failed.
func (f *policyFlags) printOutcomes(w io.Writer, name string, outcomes []outcome, verbose bool) (failed int, err error) {
	paint := newPainter(w)
	print := func(format string, args ...any) {
		if err == nil && f.output == "text" {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	for _, o := range outcomes {
		switch {
		case !o.Passed:
			failed++
			print("%s %s\n", paint.paint(red, "FAIL"), o.text)
		case verbose:
			print("%s   %s\n", paint.paint(green, "ok"), o.text)
		}
	}
	switch {
	case len(outcomes) == 0:
		print("%s: no tests\n", name)
	case failed > 0:
		print("%s: %d of %d tests failed\n", name, failed, len(outcomes))
	default:
		print("%s: %d tests passed\n", name, len(outcomes))
	}
	return failed, err
}
