package document

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	aRule   = "syscalls:\n  rules:\n  - {then: allow, calls: [unshare]}\n"
	aPath   = "files:\n  rw: [\"/a b\"]\n  exec: [/x]\n"
	aFamily = "network:\n  families: [packet]\n"
	aMode   = "network:\n  mode: host\n"
)

// What a policy's explanation says to add is added to it, and all else stays as it was
// written.
func TestAdditions(t *testing.T) {
	for _, c := range []struct{ name, text, addition, want string }{
		{"nothing", "", aRule, aRule},
		{"a comment alone", "# mine", aRule, "# mine\n" + aRule},
		{"no such section", "extends: [default] # as always\n", aRule, "extends: [default] # as always\n" + aRule},
		{
			"rules in lines", "syscalls:\n  # first\n  otherwise: EPERM\n  rules:\n  # no\n  - {then: EPERM, calls: [keyctl]} # never\n", aRule,
			"syscalls:\n  # first\n  otherwise: EPERM\n  rules:\n  # no\n  - {then: allow, calls: [unshare]}\n  - {then: EPERM, calls: [keyctl]} # never\n",
		},
		{
			"indented otherwise", "syscalls:\n    rules:\n        - {then: EPERM, calls: [keyctl]}\n", aRule,
			"syscalls:\n    rules:\n        - {then: allow, calls: [unshare]}\n        - {then: EPERM, calls: [keyctl]}\n",
		},
		{"rules in brackets", "syscalls: {rules: [{then: EPERM, calls: [keyctl]}]}\n", aRule, "syscalls: {rules: [{then: allow, calls: [unshare]}, {then: EPERM, calls: [keyctl]}]}\n"},
		{"no rules", "syscalls:\n  otherwise: EPERM\n", aRule, "syscalls:\n  otherwise: EPERM\n  rules:\n  - {then: allow, calls: [unshare]}\n"},
		{"no rules in braces", "syscalls: {otherwise: EPERM}\n", aRule, "syscalls: {otherwise: EPERM, rules: [{then: allow, calls: [unshare]}]}\n"},
		{"an empty list", "syscalls:\n  rules: [] # none yet\n", aRule, "syscalls:\n  rules: [{then: allow, calls: [unshare]}] # none yet\n"},
		{"rules in brackets of their own", "syscalls:\n  rules: [{then: EPERM, calls: [keyctl]}]\n", aRule, "syscalls:\n  rules: [{then: allow, calls: [unshare]}, {then: EPERM, calls: [keyctl]}]\n"},
		{"empty braces", "files: {}\n", aPath, "files: {rw: [\"/a b\"], exec: [/x]}\n"},
		{"one list of two", "files:\n  rw: [., ~/été]\n  home: none\n", aPath, "files:\n  rw: [., ~/été, \"/a b\"]\n  home: none\n  exec:\n  - /x\n"},
		{"after letters of two bytes", "description: \"é\" # ü\nnetwork: {families: [unix]}\n", aFamily, "description: \"é\" # ü\nnetwork: {families: [unix, packet]}\n"},
		{"a value", "network:\n  mode: none # quiet\n", aMode, "network:\n  mode: host # quiet\n"},
		{"no end of line", "capabilities: [CAP_CHOWN]", "capabilities: [CAP_NET_RAW]\n", "capabilities: [CAP_CHOWN, CAP_NET_RAW]"},
		{"a list that is none", "capabilities: 7\n", "capabilities: [CAP_NET_RAW]\n", ""},
	} {
		additions, err := Additions(c.addition)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Amend("x.yaml", []byte(c.text), additions)
		if (err == nil) != (c.want != "") {
			t.Errorf("%s: Amend() = %q, %v", c.name, got, err)
			continue
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
