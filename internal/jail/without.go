package jail

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// ownTmp stands in for a private /tmp where there are no mounts: a fresh folder
// of the host's, named in TMPDIR, which the target may write to and which goes
// with it.
func (s *Spec) ownTmp() (remove func(), err error) {
	if !slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Kind == Private && m.Target == "/tmp" }) {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "callgate-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to stand in for /tmp: %w", err)
	}
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(v string) bool { return strings.HasPrefix(v, "TMPDIR=") })
	s.Env = append(s.Env, "TMPDIR="+dir)
	s.Mounts = append(slices.Clone(s.Mounts), Mount{
		Kind: Bind, Target: dir, Source: dir, Access: Read | Write | Execute, Folder: true,
	})
	return func() { os.RemoveAll(dir) }, nil
}
