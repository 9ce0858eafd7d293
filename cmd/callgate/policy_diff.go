package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy/diff"
)

func newPolicyDiffCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "diff [flags] A B",
		Short: "Say what one policy allows and another refuses",
		Long: `Say what policy B allows and policy A refuses (+), the other way round (-), and
what they refuse or allow differently (~): calls down to their arguments, files,
network, limits, environment. What is written differently and means the same is
no difference.

The exit code is 0 when the policies mean the same, 1 when they differ, and 2
when one could not be read.`,
		Example: `  callgate policy diff default agent
  callgate policy diff /usr/share/containers/seccomp.json oci`,
		Args:              takes(2, 2, "two policies"),
		ValidArgsFunction: completePolicies(2),
	}
	f.addMachine(cmd)
	f.addOutput(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.diff(cmd.OutOrStdout(), args[0], args[1]) }
	return cmd
}

func (f *policyFlags) diff(w io.Writer, first, second string) error {
	if err := f.checkOutput("text", "json"); err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	a, err := openPolicies(first)
	if err != nil {
		return err
	}
	b, err := openPolicies(second)
	if err != nil {
		return err
	}
	changes, err := diff.Policies(a, b, target)
	if err != nil {
		return err
	}
	if f.output == "json" {
		if changes == nil {
			changes = []diff.Change{}
		}
		err = printJSON(w, changes)
	} else {
		err = printChanges(w, changes)
	}
	if err == nil && len(changes) > 0 {
		return exitError{code: exitNo}
	}
	return err
}

// printChanges prints the changes by section. Calls that change alike share a
// line.
func printChanges(w io.Writer, changes []diff.Change) error {
	paint := newPainter(w)
	var page strings.Builder
	section := ""
	for _, c := range joinAlike(changes) {
		if c.Section != section {
			section = c.Section
			fmt.Fprintf(&page, "%s\n", paint.paint(bold, section))
		}
		if c.Where != "" {
			c.What += " (" + c.Where + ")"
		}
		sign, color := "~", yellow
		switch c.Sense {
		case diff.Wider:
			sign, color = "+", green
		case diff.Narrower:
			sign, color = "-", red
		}
		fmt.Fprintf(&page, "%s %s: %s → %s%s\n", paint.paint(color, sign), c.What, c.From, c.To, places(c))
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// joinAlike makes one change of calls that change alike, where the first of
// them stands.
func joinAlike(changes []diff.Change) []diff.Change {
	var out, first []diff.Change
	for _, c := range changes {
		i := slices.IndexFunc(first, func(f diff.Change) bool { return isAlike(f, c) })
		if i < 0 || c.Section != "syscalls" {
			out, first = append(out, c), append(first, c)
			continue
		}
		out[i].What += ", " + c.What
	}
	return out
}

// isAlike reports whether two changes differ in their calls alone.
func isAlike(a, b diff.Change) bool {
	b.What = a.What
	a.A.Column, a.B.Column, b.A.Column, b.B.Column = 0, 0, 0, 0
	return a == b
}

// places says which lines decide.
func places(c diff.Change) string {
	a, b := origin(c.A), origin(c.B)
	switch {
	case a == "" && b == "":
		return ""
	case a == "" || a == b:
		return "  (" + b + ")"
	case b == "":
		return "  (" + a + ")"
	}
	return "  (" + a + " → " + b + ")"
}
