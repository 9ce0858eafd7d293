package main

import (
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// definitions are the lists of words that several keys take.
func definitions() properties {
	actions := []string{"allow", "log", "kill", "kill-thread", "trap", "notify", "trace"}
	for e := abi.Errno(1); e < 134; e++ {
		if _, ok := abi.ParseErrno(e.Name()); ok {
			actions = append(actions, e.Name())
		}
	}
	calls := slices.Collect(abi.Names())
	var groups []string
	for _, g := range policy.Groups() {
		groups = append(groups, "@"+g.Name)
	}
	var capabilities []string
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		capabilities = append(capabilities, c.String())
	}
	var families []string
	if set, ok := abi.NamedFlagSet("family"); ok {
		for name := range set.Values(abi.AMD64) {
			families = append(families, strings.ToLower(strings.TrimPrefix(name, "AF_")))
		}
	}
	slices.Sort(families)
	return properties{
		{"action", either(actions, `^(errno|trap|trace)\([0-9]+\)$`)},
		{"call", &schema{Enum: calls}},
		{"calls", &schema{AnyOf: []*schema{{Ref: "#/$defs/call"}, {Enum: groups}, {Type: "string", Pattern: `^\?`}}}},
		{"capability", either(capabilities, `^\?`)},
		{"architecture", either([]string{"amd64", "arm64", "riscv64", "i386", "x32", "arm"}, `^\?`)},
		{"family", &schema{Enum: append(families, "netlink-route")}},
	}
}

func either(words []string, pattern string) *schema {
	return &schema{AnyOf: []*schema{{Enum: words}, {Type: "string", Pattern: pattern}}}
}

// special returns the schemas of keys that take only some of what their type
// holds.
func special(key string) (*schema, bool) {
	list := func(item *schema) *schema { return &schema{Type: "array", Items: item} }
	removable := func(ref string) *schema {
		return &schema{AnyOf: []*schema{{Ref: "#/$defs/" + ref}, {Type: "string", Pattern: "^-"}}}
	}
	switch key {
	case "Policy.extends":
		return list(&schema{AnyOf: []*schema{{Enum: policy.Presets()}, {Type: "string", Pattern: `/|\.ya?ml$`}}}), true
	case "Policy.capabilities":
		return list(removable("capability")), true
	case "Syscalls.architectures":
		return list(removable("architecture")), true
	case "Files.proc":
		return &schema{Enum: []string{"private", "none"}}, true
	case "Network.families":
		return list(removable("family")), true
	case "Walls.optional":
		return list(&schema{AnyOf: []*schema{{Enum: policy.WallNames()}, {Type: "string", Pattern: "^-"}}}), true
	case "Requirement.capabilities":
		return list(&schema{Ref: "#/$defs/capability"}), true
	case "Requirement.architectures", "Requirement.machines":
		return list(&schema{Ref: "#/$defs/architecture"}), true
	case "Rule.calls":
		return &schema{Type: "array", Items: &schema{Ref: "#/$defs/calls"}, MinItems: 1}, true
	case "Test.call":
		return &schema{Ref: "#/$defs/call"}, true
	case "Condition.arg":
		return &schema{Type: []string{"string", "integer"}}, true
	case "Condition.bits":
		return &schema{Type: "integer", Minimum: number(32), Maximum: number(64)}, true
	case "Condition.between":
		return &schema{Type: "array", Items: &schema{Type: []string{"string", "integer"}}, MinItems: 2, MaxItems: 2}, true
	case "Limits.rlimits":
		return &schema{
			Type: "object", Names: &schema{Enum: policy.RlimitNames[:]},
			Additional: &schema{Type: []string{"string", "integer"}, Pattern: `^([0-9]+|unlimited)(:([0-9]+|unlimited))?$`},
		}, true
	}
	return nil, false
}

func number(n int) *int { return &n }
