package document

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

func ro(path, comment string) Addition {
	return Addition{Key: []string{"files", "ro"}, Value: policy.Path{Text: path}, Comment: comment}
}

func allow(calls ...string) Addition {
	r := policy.Rule{Then: policy.Do(filter.ActionAllow)}
	for _, name := range calls {
		r.Calls = append(r.Calls, policy.Name{Text: name})
	}
	return Addition{Key: []string{"syscalls", "rules"}, Value: r, Comment: "sh: once"}
}

func port(n uint16) Addition {
	return Addition{Key: []string{"network", "connect"}, Value: policy.Destination{Port: n}}
}

func TestAmend(t *testing.T) {
	for _, c := range []struct {
		name, in string
		add      []Addition
		want     string
	}{
		{"nothing", "name: x # mine\n", nil, "name: x # mine\n"},
		{"an empty document", "", []Addition{ro("/a", "cat: once")}, "files:\n  ro:\n  - /a # cat: once\n"},
		{"a section that is missing", "name: x", []Addition{ro("/a", "")}, "name: x\nfiles:\n  ro:\n  - /a\n"},
		{"a list that is missing", "files:\n    rw: [.]\n# end\n", []Addition{ro("/a", "")}, "files:\n    rw: [.]\n    ro:\n    - /a\n# end\n"},
		{
			"a list of lines", "files:\n  ro:\n  - /z # why\n  # a remark\n\n  rw: [.]\n",
			[]Addition{ro("/a", "c"), ro("~", "")},
			"files:\n  ro:\n  - /z # why\n  - /a # c\n  - ~\n  # a remark\n\n  rw: [.]\n",
		},
		{"a list that is indented", "files:\n  ro:\n    - /z\n", []Addition{ro("/a", "")}, "files:\n  ro:\n    - /z\n    - /a\n"},
		{"brackets", "files:\n  ro: [/z, \"/x]\"] # why\n", []Addition{ro("/a b", "c")}, "files:\n  ro: [/z, \"/x]\", \"/a b\"] # why\n"},
		{"brackets over lines", "files:\n  ro: [\n    /z,\n  ]\n", []Addition{ro("/a", "c")}, "files:\n  ro: [\n    /z, /a\n  ]\n"},
		{"empty brackets", "network: {mode: host, connect: []}\n", []Addition{port(80), port(443)}, "network: {mode: host, connect: [80, 443]}\n"},
		{"a section in brackets", "network: {mode: host}\n", []Addition{port(80)}, "network: {mode: host, connect: [80]}\n"},
		{
			"rules", "syscalls:\n  rules:\n  - then: EPERM\n    calls: [mount]\n",
			[]Addition{allow("read", "write")},
			"syscalls:\n  rules:\n  - then: EPERM\n    calls: [mount]\n  # sh: once\n  - {then: allow, calls: [read, write]}\n",
		},
		{
			"a single value", "files:\n  tmp: none # none\nnetwork: {mode: none}\n",
			[]Addition{{Key: []string{"files", "tmp"}, Value: "private"}, {Key: []string{"network", "mode"}, Value: "host"}, {Key: []string{"files", "dev"}, Value: "none"}},
			"files:\n  tmp: private # none\n  dev: none\nnetwork: {mode: host}\n",
		},
		{"other languages", "description: \"über\" # ß\nfiles: {ro: [\"/ü\", /z]}\n", []Addition{ro("/é", "")}, "description: \"über\" # ß\nfiles: {ro: [\"/ü\", /z, \"/é\"]}\n"},
	} {
		got, err := Amend("app.yaml", []byte(c.in), c.add)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A layout that is not understood is left alone, with an error.
func TestAmendRefuses(t *testing.T) {
	for _, in := range []string{
		"files:\n  ro: [/z # why\n  ]\n",
		"files:\n  ro: 7\n",
		"a: [b\n",
	} {
		got, err := Amend("app.yaml", []byte(in), []Addition{ro("/a", "")})
		if err == nil || string(got) != in && !strings.Contains(string(got), "/z") {
			t.Errorf("Amend(%q) = %q, %v; want an error", in, got, err)
		}
	}
}

func TestRemove(t *testing.T) {
	for _, c := range []struct {
		name, in string
		remove   []string // the words at the places
		want     string
	}{
		{"a line", "files:\n  ro:\n  - /a # cat: once\n  # mine\n  - /b\n", []string{"/a"}, "files:\n  ro:\n  # mine\n  - /b\n"},
		{"all lines", "files:\n  ro:\n  - /a\n  - /b\n  rw: [.]\n", []string{"/a", "/b"}, "files:\n  ro: []\n  rw: [.]\n"},
		{"the first in brackets", "files: {ro: [/a, /b, /c]}\n", []string{"/a"}, "files: {ro: [/b, /c]}\n"},
		{"the last two", "files: {ro: [/a, \"/b\", /c]}\n", []string{"/b", "/c"}, "files: {ro: [/a]}\n"},
		{"the middle", "files: {ro: [/a, /b, /c]}\n", []string{"/b"}, "files: {ro: [/a, /c]}\n"},
		{"all in brackets", "network: {connect: [80, 443]}\n", []string{"80", "443"}, "network: {connect: []}\n"},
		{
			"calls of a rule", "syscalls:\n  rules:\n  - then: allow\n    calls: [read, write,\n      openat]\n",
			[]string{"write", "openat"},
			"syscalls:\n  rules:\n  - then: allow\n    calls: [read]\n",
		},
		{
			"a rule", "syscalls:\n  rules:\n  # mine\n  - {then: EPERM, calls: [mount]}\n  # io: sh: 3 times\n  - {then: allow, calls: [dup2]}\n  - {then: allow, calls: [pipe2]}\n",
			[]string{"then: allow, calls: [dup2"},
			"syscalls:\n  rules:\n  # mine\n  - {then: EPERM, calls: [mount]}\n  - {then: allow, calls: [pipe2]}\n",
		},
	} {
		got, err := Remove("app.yaml", []byte(c.in), places(t, c.in, c.remove...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// places finds words in a document.
func places(t *testing.T, text string, words ...string) (out []policy.Origin) {
	t.Helper()
	for _, word := range words {
		at := strings.Index(text, word)
		if at < 0 {
			t.Fatalf("no %q in %q", word, text)
		}
		if at > 0 && text[at-1] == '"' {
			at--
		}
		line := strings.Count(text[:at], "\n")
		out = append(out, policy.Origin{File: "app.yaml", Line: line + 1, Column: at - strings.LastIndexByte(text[:at], '\n')})
	}
	return out
}

// What Amend and Remove make of any document is what they say, or nothing.
func FuzzAmend(f *testing.F) {
	for _, seed := range []string{
		"", "name: x\n", "files:\n  ro: [/a, /b] # c\n", "files: {ro: [/a]}\n", "files:\n  ro:\n  - /a\n  -  /b\nname: x\n",
		"files:\n  ro:\n   - - /a\n", "\"files\":\n  'ro': [ \"/a#\" , ~ ]\n", "files:\n  ro: [/a, # x\n   /b]\n", "files:\r\n  ro:\r\n  - /a\r\n",
	} {
		f.Add([]byte(seed), "/x y", true)
	}
	f.Fuzz(func(t *testing.T, text []byte, path string, first bool) {
		p, err := Parse("app.yaml", text)
		if err != nil || len(text) > 2000 {
			return
		}
		var value policy.Path
		if !utf8.ValidString(path) || value.UnmarshalText([]byte(path)) != nil {
			return
		}
		added, err := Amend("app.yaml", text, []Addition{ro(path, "x: once"), allow("read"), {Key: []string{"files", "tmp"}, Value: "none"}})
		if err != nil {
			return
		}
		q, err := Parse("app.yaml", added)
		if err != nil || len(q.Files.ReadOnly) != len(p.Files.ReadOnly)+1 || len(q.Syscalls.Rules) != len(p.Syscalls.Rules)+1 {
			t.Fatalf("Amend(%q) = %q, which reads back as %+v, %v", text, added, q, err)
		}
		if first {
			i := slices.IndexFunc(q.Files.ReadOnly, func(have policy.Path) bool { return have.Text == value.Text })
			less, err := Remove("app.yaml", added, []policy.Origin{q.Files.ReadOnly[i].At})
			if err != nil {
				if !bytes.Equal(less, added) {
					t.Fatalf("Remove failed and changed %q to %q", added, less)
				}
				return
			}
			if r, err := Parse("app.yaml", less); err != nil || len(r.Files.ReadOnly) >= len(q.Files.ReadOnly) {
				t.Fatalf("Remove(%q) = %q: %v", added, less, err)
			}
		}
	})
}
