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
		presets = slices.DeleteFunc(presets, func(name string) bool { return !strings.HasPrefix(name, word) })
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
		return slices.Collect(abi.Names()), cobra.ShellCompDirectiveNoFileComp
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
	return out, cobra.ShellCompDirectiveNoFileComp
}
