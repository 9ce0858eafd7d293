package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// saver adds to a policy file what a person always allows.
type saver struct {
	path    string   // absolute, without links
	shown   string   // as it was given
	named   bool     // by --save
	extends []string // what a new file extends
}

// newSaver returns nil where there is no file to save to: --save names one, or the
// last --policy is one that may be written.
func newSaver(o *runOptions) (*saver, error) {
	s := &saver{shown: o.save, named: o.save != "", extends: o.names()}
	if !s.named {
		if len(o.policies) == 0 {
			return nil, nil
		}
		s.shown = o.policies[len(o.policies)-1]
		const writes = 2 // W_OK of access(2)
		if syscall.Access(s.shown, writes) != nil || strings.HasSuffix(s.shown, ".json") {
			return nil, nil
		}
	}
	if strings.HasSuffix(s.shown, ".json") {
		return nil, fmt.Errorf("--save: %q is a container's profile by its name: name a policy, which ends in .yaml", s.shown)
	}
	var err error
	if s.path, err = realPath(s.shown); err != nil {
		return nil, fmt.Errorf("--save: %w", err)
	}
	return s, nil
}

// outOfReach is an error where the program may write the file, by the mount that
// is nearest to it.
func (s *saver) outOfReach(mounts []jail.Mount) error {
	folder, ok := writableAt(s.path, mounts)
	if !ok {
		return nil
	}
	return fmt.Errorf("--save: %q lies in %q, where the program may write: it could allow itself more: name a file elsewhere, or add --ro %s", s.shown, folder, s.shown)
}

// writableAt reports whether the program may write a file, by the mount that is
// nearest to it.
func writableAt(path string, mounts []jail.Mount) (folder string, ok bool) {
	var nearest jail.Mount
	for _, m := range mounts {
		if m.Kind == jail.Bind && within(path, m.Source) && len(m.Source) >= len(nearest.Source) {
			nearest = m
		}
	}
	return nearest.Source, nearest.Access&jail.Write != 0
}

// save adds a cure to the file, whole or not at all.
func (s *saver) save(why event.Why) error {
	unlock, err := lockFolder(filepath.Dir(s.path))
	if err != nil {
		return fmt.Errorf("save to %q: %w", s.shown, err)
	}
	defer unlock()
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = s.begin()
	}
	if err == nil {
		text, err = amended(s.shown, text, why.Cure)
	}
	if err == nil {
		err = replaceFile(s.path, text)
	}
	if err != nil {
		return fmt.Errorf("nothing is saved to %q: %w: add by hand:\n%s", s.shown, err, why.Cure)
	}
	return nil
}

// amended is a policy with an addition, if it is one that callgate would load.
func amended(name string, text []byte, cure string) ([]byte, error) {
	additions, err := document.Additions(cure)
	if err != nil {
		return nil, err
	}
	for i := range additions {
		additions[i].Comment = "allowed when asked"
	}
	if text, err = document.Amend(name, text, additions); err != nil {
		return nil, err
	}
	p, err := document.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return text, p.Check()
}

// begin is a new policy: it extends what this run was started with.
func (s *saver) begin() ([]byte, error) {
	p := &policy.Policy{}
	for _, name := range s.extends {
		if policy.IsFile(name) {
			path, err := realPath(name)
			if err != nil {
				return nil, err
			}
			if name, err = filepath.Rel(filepath.Dir(s.path), path); err != nil {
				return nil, err
			}
			if !strings.HasPrefix(name, "../") {
				name = "./" + name
			}
		}
		p.Extends = append(p.Extends, policy.Name{Text: name})
	}
	text, err := document.Marshal(p)
	return append([]byte("# What was always allowed when callgate run --ask asked.\n"), text...), err
}
