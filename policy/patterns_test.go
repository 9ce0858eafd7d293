package policy_test

import (
	"path"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy"
)

// patterned is a policy whose lists hold these paths.
func patterned(t *testing.T, hidden, ro, rw []string) *policy.Policy {
	t.Helper()
	list := func(texts []string) (paths []policy.Path) {
		for i, text := range texts {
			var p policy.Path
			if err := p.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			p.At = policy.Origin{File: "a.yaml", Line: i + 1}
			paths = append(paths, p)
		}
		return paths
	}
	return &policy.Policy{Files: policy.Files{Hidden: list(hidden), ReadOnly: list(ro), ReadWrite: list(rw)}}
}

var atAnn = policy.Target{Home: "/home/ann", Dir: "/home/ann/work"}

func TestPatternsDecide(t *testing.T) {
	p := patterned(t,
		[]string{"./**/.env", "~/src/**/*.pem", "./secrets/**", "./**/private", "./[[]x].key?"},
		[]string{"./**/*.lock", "./secrets/**/*.pub", "./ok/.env", "./**/test.pem"},
		[]string{".", "./**/mine.lock"})
	ps, err := p.Patterns(atAnn, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/home/ann/work":                          "-",
		"/home/ann/work/main.go":                  "-",
		"/home/ann/work/.env":                     "---",
		"/home/ann/work/a/b/c/.env":               "---",
		"/home/ann/work/.env/below":               "---", // a folder that fits, with all in it
		"/home/ann/work/.envx":                    "-",
		"/home/ann/other/.env":                    "-",
		"/home/ann/src/x/y.pem":                   "---",
		"/home/ann/src/y.pem":                     "---",
		"/home/ann/srcs/y.pem":                    "-",
		"/home/ann/work/secrets":                  "-",
		"/home/ann/work/secrets/a":                "---",
		"/home/ann/work/secrets/a/b":              "---",
		"/home/ann/work/secrets/a/b.pub":          "r--", // the same depth, more of it literal
		"/home/ann/work/yarn.lock":                "r--",
		"/home/ann/work/a/mine.lock":              "rw-",
		"/home/ann/work/private/a/yarn.lock":      "r--", // deeper
		"/home/ann/work/private/a":                "---",
		"/home/ann/work/ok/.env":                  "plain", // named as it is
		"/home/ann/work/[x].key1":                 "---",
		"/home/ann/work/x.key1":                   "-",
		"/home/ann/work/private/../private/x.pem": "---", // as text; callers clean it
	} {
		got := "-"
		if m, ok := ps.Decide(name); ok {
			if got = m.Access.String(); m.Plain {
				got = "plain"
			}
		}
		if got != want {
			t.Errorf("Decide(%q) = %s; want %s", name, got, want)
		}
	}
}

// A folder may be exchanged for another of the same standing, and for no other.
func TestStandings(t *testing.T) {
	p := patterned(t, []string{"./**/.env", "./secrets/*.key"}, nil, []string{"."})
	ps, err := p.Patterns(atAnn, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"a", "b/c/d", true},
		{"a", "secrets", false},
		{"secrets", "secrets/a", false},
		{"secrets/a", "a", true},
		{"a", "a/.env", false},
		{"a", "../other", false},
	} {
		a, b := ps.At(path.Join(atAnn.Dir, c.a)), ps.At(path.Join(atAnn.Dir, c.b))
		if same := a == b; same != c.same {
			t.Errorf("%s and %s have the same standing: %v; want %v", c.a, c.b, same, c.same)
		}
	}
}

// What a pattern begins with is resolved, and the working folder is no pattern
// whatever its name.
func TestPatternsStartAtRealFolders(t *testing.T) {
	p := patterned(t, []string{"./conf/*.key"}, nil, nil)
	at := policy.Target{Home: "/home/ann", Dir: "/w/[*]"}
	ps, err := p.Patterns(at, func(folder string) string {
		if folder != "/w/[*]/conf" {
			t.Errorf("asked to resolve %q", folder)
		}
		return "/real/?"
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"/real/?/a.key": true, "/real/x/a.key": false, "/w/[*]/conf/a.key": false} {
		if _, ok := ps.Decide(name); ok != want {
			t.Errorf("Decide(%q) = %v; want %v", name, ok, want)
		}
	}
}

func TestParsePath(t *testing.T) {
	for text, want := range map[string]policy.Path{
		"./a":         {Text: "./a"},
		"./[*]/[[]x]": {Text: "./*/[x]"},
		"./**/.env":   {Text: "./**/.env", Pattern: true},
		"./[!a]x":     {Text: "./[^a]x", Pattern: true},
	} {
		got, err := policy.ParsePath(text)
		if err != nil || got != want {
			t.Errorf("ParsePath(%q) = %+v, %v; want %+v", text, got, err, want)
		}
		written, _ := got.MarshalText()
		if again, err := policy.ParsePath(string(written)); err != nil || again != got {
			t.Errorf("%q is written as %q, and read back as %+v, %v", text, written, again, err)
		}
	}
	for text, want := range map[string]string{
		"./a**":   "stands alone",
		"./[a":    "never closed",
		"./[z-a]": "the range z-a holds no character",
		"[^b-a]x": "the range b-a holds no character",
		`./\**`:   "stands alone",
		`./\*`:    "backslash",
		"./[]a]x": "never closed",
	} {
		if _, err := policy.ParsePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePath(%q) = %v; want %s", text, err, want)
		}
	}
}

// naive is a pattern's match by definition: by trying every way.
func naive(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == "**" && len(pattern) == 1:
		return len(name) > 0
	case pattern[0] == "**":
		return naive(pattern[1:], name) || len(name) > 0 && naive(pattern, name[1:])
	case len(name) == 0:
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && naive(pattern[1:], name[1:])
}

func FuzzPatterns(f *testing.F) {
	f.Add("/a/**/b*/[c-e]?/**", "/a/x/bb/dd/e")
	f.Add("/**/x/**/x", "/x/y/x/x")
	f.Add("/[*]/**/?", "/*/é")
	f.Add("/**/**", "/a")
	f.Fuzz(func(t *testing.T, text, name string) {
		var p policy.Path
		if !strings.HasPrefix(text, "/") || p.UnmarshalText([]byte(text)) != nil || !p.Pattern || !strings.HasPrefix(name, "/") {
			return
		}
		text, name = path.Clean(p.Text), path.Clean(name)
		ps, err := (&policy.Policy{Files: policy.Files{Hidden: []policy.Path{p}}}).Patterns(atAnn, nil)
		if err != nil || strings.Count(name, "/") > 20 || strings.Count(text, "**") > 6 {
			return
		}
		parts, names := strings.Split(text[1:], "/"), strings.Split(name[1:], "/")
		want := false // it, or a folder around it
		for i := 1; i <= len(names) && name != "/"; i++ {
			want = want || naive(parts, names[:i])
		}
		if _, got := ps.Decide(name); got != want {
			t.Errorf("%q fits %q: %v; want %v", text, name, got, want)
		}
	})
}
