package floors

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	link  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	fence = regexp.MustCompile("(?ms)^ *```.*?^ *```[^\n]*$")
	code  = regexp.MustCompile("`[^`\n]*`")
	title = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
)

// linksOf returns where a Markdown text's links lead, code apart.
func linksOf(text string) (list []string) {
	text = code.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
	for _, found := range link.FindAllStringSubmatch(text, -1) {
		list = append(list, found[1])
	}
	return list
}

// anchorsOf returns the anchors that GitHub makes of a text's headings.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, found := range title.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		anchors[anchor(found[1])] = true
	}
	return anchors
}

// anchor drops a heading's punctuation and joins its words with hyphens.
func anchor(heading string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(strings.TrimSpace(heading)))
}

// checkLink returns what is wrong with a link in file, or "". Links to other
// sites are not followed.
func checkLink(file, to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme != "":
		return ""
	}
	target := file
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(file), u.Path)
	}
	if _, err := os.Stat(target); err != nil {
		return "there is no such file"
	}
	if u.Fragment == "" {
		return ""
	}
	text, err := os.ReadFile(target)
	if err != nil || !anchorsOf(string(text))[u.Fragment] {
		return "there is no such heading"
	}
	return ""
}

func TestLinksLeadSomewhere(t *testing.T) {
	const root = "../.."
	seen := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "dist"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, to := range linksOf(string(text)) {
			seen++
			if wrong := checkLink(name, to); wrong != "" {
				t.Errorf("%s links to %s: %s", name, to, wrong)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no link found: the reader misses them")
	}
}

func TestCheckLink(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.md")
	text := "# Top\n\n[b](b.md) `[code](x)`\n```\n# no heading\n[code](y)\n```\n## Why is `this`, so?\n[c](#top)\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b.md", "#top"}, linksOf(text)); diff != "" {
		t.Errorf("linksOf (-want +got):\n%s", diff)
	}
	for to, want := range map[string]string{
		"a.md":                "",
		"#top":                "",
		"a.md#why-is-this-so": "",
		"#no-heading":         "there is no such heading",
		"b.md":                "there is no such file",
		"https://example.org": "",
	} {
		if got := checkLink(file, to); got != want {
			t.Errorf("checkLink(%q) = %q; want %q", to, got, want)
		}
	}
}
