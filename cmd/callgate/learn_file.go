package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/callgate/callgate/policy"
)

// tryFolder reports whether a file can be made in a folder.
func tryFolder(folder string) error {
	f, err := os.CreateTemp(folder, ".callgate-learn-")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// lockFolder waits until nobody else who learns has the folder. The lock leaves
// nothing behind, and ends with the process.
func lockFolder(folder string) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %q: %w", folder, err)
	}
	return func() { f.Close() }, nil
}

// replaceFile writes a file whole or not at all. A file that was there keeps its
// mode.
func replaceFile(name string, text []byte) (err error) {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".callgate-learn-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// exposed warns of a policy that the program can change.
func (l *lesson) exposed(p *policy.Policy) []string {
	if l.file == "" {
		return nil
	}
	for _, m := range slices.Backward(p.Mounts(l.target)) {
		if !within(l.file, m.Path) {
			continue
		}
		if m.Kind == policy.Bind && m.Access&policy.Write != 0 {
			return []string{fmt.Sprintf("%s lies in %s, where the program may write: keep it elsewhere, or the program can change it", l.name(), m.Path)}
		}
		break
	}
	return nil
}
