package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy"
)

func newPolicyExplainCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "explain [flags] POLICY CALL [ARGUMENT...]",
		Short: "Say what becomes of a call, which line decides so, and what would allow it",
		Long: `Say what becomes of a call, which wall and which line of the policy decide so,
and the smallest addition that would allow it.

Arguments are written as strace prints them, in order: paths, names of
constants, numbers. NAME=VALUE names one; those left out are 0. For connect and
bind, :443 is the port. "~" and "." are your home and this directory.

The exit code is 0 when the call is allowed, 1 when it is refused, and 2 when
the question makes no sense.`,
		Example: `  callgate policy explain default openat /etc/shadow O_RDWR
  callgate policy explain mail.yaml socket AF_NETLINK
  callgate policy explain net-client connect :443
  callgate policy explain default clone flags=CLONE_NEWUSER`,
		Args:              takes(2, -1, "a policy and a call"),
		ValidArgsFunction: completeQuestion,
	}
	cmd.Flags().SetInterspersed(false)
	f.addMachine(cmd)
	f.addOutput(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.explain(cmd.OutOrStdout(), args) }
	return cmd
}

// explanation is an answer for other programs.
type explanation struct {
	Question string `json:"question"`
	Action   string `json:"action"`
	Allowed  bool   `json:"allowed"`
	Wall     string `json:"wall,omitempty"`
	Reason   string `json:"reason"`
	At       string `json:"at,omitempty"`   // FILE:LINE, or "preset NAME:LINE"
	Cure     string `json:"cure,omitempty"` // YAML to add to the policy
}

func (f *policyFlags) explain(w io.Writer, args []string) error {
	if err := f.checkOutput("text", "json"); err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	p, err := openPoliciesFor(target, args[0])
	if err != nil {
		return err
	}
	question, err := policy.ParseQuestion(args[1], args[2:])
	if err != nil {
		return err
	}
	a, err := p.Decide(target, question)
	if err != nil {
		return err
	}
	e := explanation{strings.Join(args[1:], " "), a.Action.String(), a.Action.Lets(), a.Wall, a.Reason, origin(a.At), a.Cure}
	if f.output == "json" {
		err = printJSON(w, e)
	} else {
		err = printExplanation(w, e)
	}
	if err == nil && !e.Allowed {
		return exitError{code: exitNo}
	}
	return err
}

func printExplanation(w io.Writer, e explanation) error {
	paint, color := newPainter(w), green
	if !e.Allowed {
		color = red
	}
	var page strings.Builder
	fmt.Fprintf(&page, "%s: %s\n", e.Question, paint.paint(color, e.Action))
	explainLines(&page, e.Reason, e.Wall, e.At, e.Cure)
	_, err := io.WriteString(w, page.String())
	return err
}

// explainLines writes why something is refused and what would allow it, below the
// line that names it.
func explainLines(page *strings.Builder, why, wall, at, cure string) {
	for _, line := range [...]struct{ name, text string }{{"why", why}, {"wall", wall}, {"line", at}} {
		if line.text != "" {
			fmt.Fprintf(page, "  %-6s%s\n", line.name, line.text)
		}
	}
	if cure == "" {
		return
	}
	page.WriteString("  to allow it, add\n")
	for text := range strings.Lines(cure) {
		page.WriteString("    " + text)
	}
}
