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
		return nil, fmt.Errorf("make a folder to stand in for private ones: %w: have TMPDIR name a folder that can be written "+
			"(in a container: docker run --tmpfs /tmp)", err)
	}
	if err := s.give(dir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if r, err := resolve(dir); err == nil {
		dir = r.path // Landlock's rules are added without following links
	}
	env := setVariable(s.Env, "TMPDIR", dir)
	if home, ok := variable(env, "HOME"); ok && slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Kind == Private && m.Target == home }) {
		own := filepath.Join(dir, "home")
		err := os.Mkdir(own, 0o700)
		if err == nil {
			err = s.give(own)
		}
		if err != nil {
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

// give makes the target's user the owner of a folder made for it.
func (s *Spec) give(dir string) error {
	if s.UID < 0 {
		return nil
	}
	return os.Chown(dir, s.UID, s.GID)
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
