package oci

import (
	"strings"
	"testing"
)

func TestBadProfiles(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "p.json:1:1: not JSON: it ends where a value is due: close every bracket and quote"},
		{"cut off", "{\n  \"defaultAction\": \"SCMP_ACT_ALLOW\",\n", "p.json:3:1: not JSON: it ends where a key in quotes is due: close every bracket and quote"},
		{"trailing comma", "{\"syscalls\": [1,\n]}", "p.json:2:1: not JSON: ']' where a value is due: check quotes, commas and brackets before it"},
		{"no colon", `{"syscalls" []}`, "p.json:1:13: not JSON: '[' where ':' is due: check quotes, commas and brackets before it"},
		{"open string", "{\"defaultAction\": \"SCMP\n}", "p.json:1:19: not JSON: a string has a control character in it: close the quote, or write control characters as \\n or \\u0001"},
		{"bad escape", `{"defaultAction": "\q"}`, `p.json:1:19: not JSON: "\q" is no string: check what stands after each backslash`},
		{"two values", "{}\n{}", "p.json:2:1: text after the profile: remove it"},
		{"bad number", `{"syscalls": [01]}`, `p.json:1:15: not JSON: "01" is no number: write a number from 0`},
		{"binary", "\x7fELF\x02\x01", `p.json:1:1: not JSON: '\x7f' where a value is due: check quotes, commas and brackets before it`},
		{"deep", strings.Repeat("[", 40), "p.json:1:17: nested too deep: a profile needs about five levels"},
		{"huge", strings.Repeat(" ", maxSize+1), "p.json: a profile of 1048577 bytes: write at most 1048576"},
		{"not an object", `[]`, "p.json:1:1: a profile takes an object, not a list: write an object"},
		{
			"unknown key", `{"defaultAction": "SCMP_ACT_ALLOW", "syscals": []}`,
			`p.json:1:37: a profile has no key "syscals": did you mean "syscalls"? write one of defaultAction, defaultErrnoRet, defaultErrno, architectures, flags, listenerPath, listenerMetadata, archMap, syscalls`,
		},
		{"twice", `{"syscalls": [], "syscalls": []}`, `p.json:1:18: "syscalls" stands here twice: remove one; the first is at line 1`},
		{"unknown keys alike", `{"syscals": [{"a": null}, [1, "\u00e9"]], "syscals": 5}`, `p.json:1:43: a profile has no key "syscals"`},
		{"bad inside unknown", `{"syscals": {"a" 1}}`, "p.json:1:18: not JSON: '1' where ':' is due"},
		{"list of numbers", `{"flags": ["a", 1, {"b": []}]}`, "p.json:1:17: flags takes a string, not 1: write a string\np.json:1:20: flags takes a string, not an object"},
		{"wrong type", `{"defaultAction": 5}`, "p.json:1:19: defaultAction takes a string, not 5: write a string"},
		{"negative", `{"defaultErrnoRet": -1}`, "p.json:1:21: defaultErrnoRet: -1 is not a whole number of 64 bits: write one from 0 to 18446744073709551615"},
		{"no default", `{"syscalls": []}`, `p.json:1:1: defaultAction: "" is no action: write one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS, SCMP_ACT_LOG, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, SCMP_ACT_TRAP`},
		{"action", rule(`"names": ["read"], "action": "SCMP_ACT_ALOW"`), `did you mean "SCMP_ACT_ALLOW"?`},
		{"errno of allow", rule(`"names": ["read"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1`), "an errno with SCMP_ACT_ALLOW, which takes none"},
		{"errno", rule(`"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000`), "errno 5000: the kernel takes at most 4095"},
		{"two errnos", rule(`"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2, "errno": "EPERM"`), "errno is EPERM and errnoRet 2: remove one"},
		{"comparison", rule(`"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "EQ"}]`), `"EQ" is no comparison`},
		{"index", rule(`"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]`), "argument 6: a call has arguments 0 to 5"},
		{"no names", rule(`"action": "SCMP_ACT_ALLOW"`), "a rule is about no call"},
		{"both names", rule(`"names": ["read"], "name": "read", "action": "SCMP_ACT_ALLOW"`), "an entry has both name and names"},
		{"kernel", rule(`"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "new"}`), `minKernel: "new" is not a kernel version`},
		{"both architectures", `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}`, "the profile has both architectures and archMap"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse("p.json", []byte(test.text))
			if err == nil {
				_, err = p.Policy()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v; want %s", err, test.want)
			}
		})
	}
}

// rule returns a profile with one entry, on its second line.
func rule(entry string) string {
	return "{\"defaultAction\": \"SCMP_ACT_KILL\", \"syscalls\": [\n{" + entry + "}]}"
}

func FuzzImportOCI(f *testing.F) {
	for _, text := range profiles(f) {
		if len(text) < 4096 { // larger ones only slow the search
			f.Add(text)
		}
	}
	f.Add([]byte(rule(`"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		profile, err := Parse("fuzz.json", text)
		if err != nil {
			return
		}
		p, err := profile.Policy()
		if err != nil || p.Check() != nil {
			return // what one does not say, another cannot
		}
		out, _, err := Export(throughYAML(t, p))
		if err != nil {
			return // conditions that no call has
		}
		first, err := out.JSON()
		if err != nil {
			t.Fatalf("JSON = %v", err)
		}
		_, again := mustImport(t, "again.json", first)
		second, err := mustExport(t, again).JSON()
		if err != nil || string(first) != string(second) {
			t.Fatalf("Export of an export = %v:\n%s\nwant\n%s", err, second, first)
		}
	})
}
