package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// completePresets completes the name of a preset.
func completePresets(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, name := range policy.Presets() {
		p, _ := policy.Preset(name)
		out = append(out, cobra.CompletionWithDesc(name, p.Description))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completePolicies completes at most so many policies, or any number for -1:
// presets, or files once the word has the look of one.
func completePolicies(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		presets, _ := completePresets(cmd, args, word)
		presets = startingWith(presets, word)
		if len(presets) == 0 || strings.Contains(word, "/") {
			return []cobra.Completion{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
		}
		return presets, cobra.ShellCompDirectiveDefault
	}
}

// completeQuestion completes what explain is asked: a policy, a call, and the
// constants that its arguments take.
func completeQuestion(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completePolicies(1)(cmd, args, word)
	case 1:
		return startingWith(slices.Collect(abi.Names()), word), cobra.ShellCompDirectiveNoFileComp
	}
	call, ok := abi.Lookup(args[1])
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, a := range call.Args {
		if a.Flags == nil {
			continue
		}
		for name := range a.Flags.Values(abi.AMD64) {
			out = append(out, cobra.CompletionWithDesc(name, a.Name))
		}
	}
	if strings.HasPrefix(word, "/") || strings.HasPrefix(word, ".") || len(out) == 0 {
		return nil, cobra.ShellCompDirectiveDefault // a path
	}
	return startingWith(out, word), cobra.ShellCompDirectiveNoFileComp
}

// startingWith returns the words that go on as the one that is being written.
func startingWith(words []cobra.Completion, word string) []cobra.Completion {
	return slices.DeleteFunc(words, func(w cobra.Completion) bool { return !strings.HasPrefix(w, word) })
}

// completeRun completes the flags of run. Only a shell that asks needs that.
func completeRun(root *cobra.Command) {
	run, _, err := root.Find([]string{"run"})
	if err != nil {
		return
	}
	fixed := func(words ...cobra.Completion) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	var capabilities []cobra.Completion
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		capabilities = append(capabilities, c.String())
	}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"preset":        completePresets,
		"policy":        cobra.FixedCompletions([]cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		"net":           fixed("none", "host", "relay"),
		"audit-failure": fixed("refuse", "continue"),
		"optional":      fixed(policy.WallNames()...),
		"cap-add":       fixed(capabilities...),
	} {
		_ = run.RegisterFlagCompletionFunc(flag, complete) // fails where run has no such flag
	}
}
