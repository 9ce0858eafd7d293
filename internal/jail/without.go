package jail

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ownTmp stands in for private folders where there are no mounts: a fresh
// folder of the host's, which the target may write to and which goes with it.
// TMPDIR names it, and HOME a folder in it if the home directory was private.
func (s *Spec) ownTmp() (remove func(), err error) {
	if !slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Kind == Private }) {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "callgate-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to stand in for private ones: %w", err)
	}
	if r, err := resolve(dir); err == nil {
		dir = r.path // Landlock's rules are added without following links
	}
	env := setVariable(s.Env, "TMPDIR", dir)
	if home, ok := variable(env, "HOME"); ok && slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Kind == Private && m.Target == home }) {
		own := filepath.Join(dir, "home")
		if err := os.Mkdir(own, 0o700); err != nil {
			os.RemoveAll(dir)
			return nil, fmt.Errorf("make a folder to stand in for the home directory: %w", err)
		}
		env = setVariable(env, "HOME", own)
	}
	s.Env = env
	s.Mounts = append(slices.Clone(s.Mounts), Mount{
		Kind: Bind, Target: dir, Source: dir, Access: Read | Write | Execute, Folder: true,
	})
	return func() { os.RemoveAll(dir) }, nil
}

func variable(env []string, name string) (value string, ok bool) {
	for _, v := range env {
		if value, ok = strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

func setVariable(env []string, name, value string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, name+"=") })
	return append(env, name+"="+value)
}
