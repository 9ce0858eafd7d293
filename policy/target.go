package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
)

// Target is where a policy is enforced.
type Target struct {
	Arch   abi.Arch // zero means abi.Native, or amd64 where that is none
	Kernel Version  // what "kernel" in a rule's if and unless asks; zero means the policy's baseline
	Home   string   // absolute, for "~"; empty means /home/user
	Dir    string   // absolute, for "."; empty means Home + "/work"
}

// complete fills in what was left zero.
func (t Target) complete(p *Policy) Target {
	if t.Arch == 0 {
		t.Arch = abi.Native()
	}
	if t.Arch == 0 {
		t.Arch = abi.AMD64
	}
	if t.Kernel.IsZero() {
		t.Kernel = p.Baseline
	}
	if t.Home == "" {
		t.Home = "/home/user"
	}
	if t.Dir == "" {
		t.Dir = path.Join(t.Home, "work")
	}
	return t
}

// expand returns a document's path as an absolute, clean one.
func (t Target) expand(text string) string {
	switch {
	case text == "~" || strings.HasPrefix(text, "~/"):
		return path.Join(t.Home, text[1:])
	case strings.HasPrefix(text, "/"):
		return path.Clean(text)
	}
	return path.Join(t.Dir, text)
}

// expandPattern is expand for a pattern: the folders before it are no part of
// it, whatever their names.
func (t Target) expandPattern(text string) string {
	t.Home, t.Dir = escape(t.Home), escape(t.Dir)
	return t.expand(text)
}

// cleanPath removes what does not change a document's path: "./a/" is "a".
func cleanPath(text string) string { return path.Clean(text) }

// Expand returns the policy with every path made absolute for the target, so
// that [Merge] sees that "~/.ssh" of one and "/root/.ssh" of another are the
// same path.
func (p *Policy) Expand(t Target) *Policy {
	t = t.complete(p)
	expand := func(list []Path) []Path {
		out := make([]Path, len(list))
		for i, item := range list {
			out[i] = item
			if out[i].Text = t.expand(item.Text); item.Pattern {
				out[i].Text = t.expandPattern(item.Text)
			}
		}
		return out
	}
	q := *p
	q.Files.ReadOnly = expand(p.Files.ReadOnly)
	q.Files.ReadWrite = expand(p.Files.ReadWrite)
	q.Files.Exec = expand(p.Files.Exec)
	q.Files.Hidden = expand(p.Files.Hidden)
	q.Network.Unix.Value = expand(p.Network.Unix.Value)
	q.Files.Digests = slices.Clone(p.Files.Digests)
	for i := range q.Files.Digests {
		path := &q.Files.Digests[i].Path
		path.Text = t.expand(path.Text)
	}
	q.Files.Content = slices.Clone(p.Files.Content)
	for i := range q.Files.Content {
		path := &q.Files.Content[i].Path
		path.Text = t.expand(path.Text)
	}
	return &q
}
