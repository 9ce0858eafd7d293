package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

func newPolicyCheckCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "check [flags] POLICY...",
		Short: "Find mistakes in policies, and what they allow that few mean to allow",
		Long: `Find mistakes in policies: unknown words, conditions that no call can have,
contradictions. Each is printed as FILE:LINE:COLUMN, for editors to follow.
Warnings are about what may be meant: calls that undo other walls, rules that
decide nothing.

The exit code is 0 when there is no mistake, 1 when there is one, or with
--strict a warning, and 2 when a policy could not be read.`,
		Example: `  callgate policy check mail.yaml
  callgate policy check --strict policies/*.yaml`,
		Args:              takes(1, -1, "policies"),
		ValidArgsFunction: completePolicies(-1),
	}
	strict := cmd.Flags().Bool("strict", false, "take warnings for mistakes")
	f.addOutput(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.check(cmd.OutOrStdout(), args, *strict) }
	return cmd
}

// finding is a mistake or a warning.
type finding struct {
	Severity string `json:"severity"` // "error" or "warning"
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	What     string `json:"what"`
	Cure     string `json:"cure,omitempty"`
	text     string
}

func (f *policyFlags) check(w io.Writer, names []string, strict bool) error {
	if err := f.checkOutput("text", "json"); err != nil {
		return err
	}
	all := []finding{}
	mistakes := 0
	for _, name := range names {
		found, err := findings(name)
		if err != nil {
			return err
		}
		for _, one := range found {
			if one.Severity == "error" || strict {
				mistakes++
			}
		}
		all = append(all, found...)
		if f.output == "text" {
			if err := printFindings(w, name, found); err != nil {
				return err
			}
		}
	}
	if f.output == "json" {
		if err := printJSON(w, all); err != nil {
			return err
		}
	}
	if mistakes > 0 {
		return exitError{code: exitNo}
	}
	return nil
}

// findings returns what is wrong with a policy. The error is that of one that
// cannot be read.
func findings(name string) ([]finding, error) {
	var own interface{ Problems() policy.Problems }
	p, err := openPolicies(name)
	if err == nil {
		err = compiles(p)
	}
	switch {
	case errors.As(err, &own):
		return asFindings("error", own.Problems()), nil
	case err != nil:
		return nil, err
	}
	warnings, err := p.Lint(policy.Target{Arch: abi.AMD64})
	if err != nil {
		return nil, err
	}
	return asFindings("warning", warnings), nil
}

// compiles tries the policy on every architecture.
func compiles(p *policy.Policy) error {
	for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
		compiled, err := p.Filter(policy.Target{Arch: arch})
		if err != nil {
			return err
		}
		if _, err := compiled.Filter.Compile(); err != nil {
			return &policy.Problem{What: fmt.Sprintf("on %s: %v", arch, err)}
		}
	}
	return nil
}

func asFindings(severity string, problems policy.Problems) []finding {
	var out []finding
	for _, p := range problems {
		out = append(out, finding{severity, p.At.File, p.At.Line, p.At.Column, p.What, p.Cure, p.Error()})
	}
	return out
}

func printFindings(w io.Writer, name string, found []finding) error {
	paint := newPainter(w)
	for _, f := range found {
		place, rest := name+": ", f.text
		if at := (policy.Origin{File: f.File, Line: f.Line, Column: f.Column}); at != (policy.Origin{}) {
			place = at.Position() + ": "
			rest = rest[len(place):]
		}
		color := yellow
		if f.Severity == "error" {
			color = red
		}
		if _, err := fmt.Fprintf(w, "%s%s %s\n", place, paint.paint(color, f.Severity+":"), rest); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		_, err := fmt.Fprintf(w, "%s: no mistakes\n", name)
		return err
	}
	return nil
}

// printJSON prints a value for other programs.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
