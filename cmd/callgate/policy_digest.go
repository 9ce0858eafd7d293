package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

func newPolicyDigestCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "digest [flags] PROGRAM...",
		Short: "Print the digests of programs, as a policy's files.digests has them",
		Long: `Print the digests of programs, as a policy's files.digests has them. Links are
followed to where the program stands; a name without a slash is looked up in PATH.`,
		Example: `  callgate policy digest git ./tool >>policy.yaml`,
		Args:    takes(1, -1, "programs"),
	}
	f.addOutput(cmd, "yaml", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.digest(cmd.OutOrStdout(), args) }
	return cmd
}

// programDigest is one for other programs.
type programDigest struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
}

func (f *policyFlags) digest(w io.Writer, names []string) error {
	if err := f.checkOutput("yaml", "json"); err != nil {
		return err
	}
	var found policy.Policy
	var list []programDigest
	for _, name := range names {
		program, err := exec.LookPath(name)
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("%q: it is in no folder of PATH: name its path", name)
		} else if err != nil {
			program = name // whose digest says what is wrong with it
		}
		path, digest, err := jail.DigestOf(program)
		if err != nil {
			return err
		}
		found.Files.Digests = append(found.Files.Digests, policy.Program{Path: policy.Path{Text: path}, Digest: digest})
		list = append(list, programDigest{path, digest.String()})
	}
	if f.output == "json" {
		return printJSON(w, list)
	}
	text, err := document.Marshal(&found)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
