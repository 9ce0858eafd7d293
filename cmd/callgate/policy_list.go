package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/schema"
)

func newPolicyPresetsCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:               "presets [flags]",
		Short:             "List the presets",
		Args:              takes(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f.addOutput(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.presets(cmd.OutOrStdout()) }
	return cmd
}

// preset is one for other programs.
type preset struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (f *policyFlags) presets(w io.Writer) error {
	if err := f.checkOutput("text", "json"); err != nil {
		return err
	}
	var list []preset
	for _, name := range policy.Presets() {
		p, _ := policy.Preset(name)
		list = append(list, preset{Name: name, Description: p.Description})
	}
	if f.output == "json" {
		return printJSON(w, list)
	}
	paint := newPainter(w)
	var page strings.Builder
	for _, p := range list {
		fmt.Fprintf(&page, "%s%s%s\n", paint.paint(bold, p.Name), strings.Repeat(" ", max(1, 12-len(p.Name))), p.Description)
	}
	_, err := io.WriteString(w, page.String())
	return err
}

func newPolicySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of policies, for editors",
		Long: `Print the JSON Schema of policies. Editors with a YAML language server complete
and check a policy whose first line names the schema:

  # yaml-language-server: $schema=callgate.schema.json`,
		Example:           `  callgate policy schema >callgate.schema.json`,
		Args:              takes(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), schema.JSON)
			return err
		},
	}
}
