package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/policy"
)

func newPolicyInitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [flags] [FILE]",
		Short: "Write a policy to begin with: a preset, and the sections as comments",
		Long: `Write a policy to begin with, to a file that does not exist, or to the standard
output. It extends a preset, which decides whatever the policy doesn't say; each
section stands there as a comment, with an example to change.`,
		Example: `  callgate policy init mail.yaml
  callgate policy init --preset server mail.yaml`,
		Args:              takes(0, 1, "the file to write, or nothing"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt),
	}
	preset := cmd.Flags().String("preset", "default", "extend this `preset`")
	_ = cmd.RegisterFlagCompletionFunc("preset", completePresets)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if names := policy.Presets(); !slices.Contains(names, *preset) {
			return fmt.Errorf("--preset: no preset %q: %s", *preset, policy.Suggest(*preset, names))
		}
		if len(args) == 0 {
			_, err := io.WriteString(cmd.OutOrStdout(), starter("mine", *preset))
			return err
		}
		return initPolicy(args[0], *preset)
	}
	return cmd
}

// initPolicy writes a new file, which must not be there.
func initPolicy(name, preset string) error {
	cure := "name another file"
	if !policy.IsFile(name) {
		return fmt.Errorf("%q would be taken for a preset's name: end it in .yaml", name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: it is kept as it is: %s", err, cure)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: make its folder first", err)
	case err != nil:
		return fmt.Errorf("%w: %s", err, cure)
	}
	base := filepath.Base(name)
	_, err = io.WriteString(f, starter(strings.TrimSuffix(base, filepath.Ext(base)), preset))
	return errors.Join(err, f.Close())
}

// starter returns the policy. Its examples are what remains of lines that begin
// with '#' and a letter, or '#' and two spaces, without the '#'.
func starter(name, preset string) string {
	p, _ := policy.Preset(preset)
	return fmt.Sprintf(starterText, strconv.Quote(name), preset, p.Description)
}

const starterText = `# What a program may do: callgate run --policy FILE -- PROGRAM
# Mistakes are found by "callgate policy check FILE". All that may be written
# here is in the JSON Schema that "callgate policy schema" prints.
name: %s
#description: what it is for, in a line

# %[2]s: %[3]s.
extends: [%[2]s]

# Files. The most specific path decides. "." is the folder the program starts
# in, "~" the home directory; a leading "-" marks a path that may be missing.
#files:
#  ro: [~/data]                  # may be read
#  rw: [./out]                   # may be read and written
#  exec: [-~/tools]              # may be read and executed
#  hidden: [./.env]              # can't be opened, even inside the others

# The network: "relay" is one of its own that leads to what is listed and to nothing
# else, "none" leads nowhere, "host" is the machine's.
#network: {mode: relay, connect: ["github.com:443", "*.npmjs.org:443"], publish: ["8080:80"]}

# System calls. The first rule that fits decides; these come before the preset's.
# "callgate policy explain FILE CALL" says which one does.
#syscalls:
#  rules:
#  - {then: EPERM, calls: [socket], when: [{arg: family, equals: AF_NETLINK}]}

# What it may use.
#limits: {memory: 1G, pids: 64, cpus: 2, timeout: 10m}

# Variables, beside those of the preset.
#environment:
#  keep: [EDITOR, MAIL_*]
#  set: {CI: "true"}

# Powers of root's that it keeps.
#capabilities: [CAP_NET_BIND_SERVICE]

# Questions that "callgate policy test FILE" asks this policy, and the answers.
tests:
- {call: mount, then: EPERM}
`
