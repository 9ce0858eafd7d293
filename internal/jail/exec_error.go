package jail

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ExecError is a program that could not be executed. Unwrap gives the errno.
type ExecError struct {
	Name  string // as it was asked for
	Errno syscall.Errno
	Cure  string
}

func (e *ExecError) Error() string {
	return fmt.Sprintf("execute %q: %v: %s", e.Name, e.Errno, e.Cure)
}

// Unwrap returns the errno, so that errors.Is finds it.
func (e *ExecError) Unwrap() error { return e.Errno }

// execError says why the program could not be executed, as far as a look at
// the host's files tells.
func (s *Spec) execError(errno syscall.Errno) *ExecError {
	name := s.Args[0]
	found := name
	if !strings.Contains(name, "/") {
		if path, err := exec.LookPath(name); err == nil {
			found = path
		} else if path := inPath(name); path != "" {
			found = path // though it is not executable
		} else if errno == syscall.EACCES {
			errno = syscall.ENOENT // it was a folder that the user may not search
		}
	} else if !filepath.IsAbs(name) {
		found = filepath.Join(cmp.Or(s.From, s.Dir), name)
	}
	return &ExecError{name, errno, s.execCure(found, errno)}
}

// inPath returns the first file of this name in a folder of PATH, executable or
// not, or "".
func inPath(name string) string {
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if path := filepath.Join(folder, name); filepath.IsAbs(path) {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	return ""
}

func (s *Spec) execCure(path string, errno syscall.Errno) string {
	r, err := resolve(path)
	visible, access := s.sees(r.path)
	switch {
	case errors.Is(errno, syscall.ENAMETOOLONG):
		return "shorten its name"
	case err != nil && !strings.Contains(path, "/"):
		return "it is in no folder of PATH: install it, or name its path"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file: check the path"
	case r.folder:
		return "it is a folder: name a program in it"
	case err != nil:
		return "check the path and its permissions"
	case !visible:
		return fmt.Sprintf("the policy does not show %q to the program: grant its folder with --ro", r.path)
	case access&Execute == 0:
		return fmt.Sprintf("the policy lets nothing be executed from %q: grant its folder with --ro or --rw", filepath.Dir(r.path))
	case errno == syscall.ENOENT:
		return "its interpreter (the #! line) or its loader is missing, or not shown by the policy"
	case errno == syscall.ENOEXEC:
		return "it is not a program of this machine, and has no #! line"
	case errno == syscall.EACCES:
		if info, err := os.Stat(r.path); err == nil && info.Mode()&0o111 == 0 {
			return "it is not marked executable: chmod +x"
		}
		return "its permissions, or those of its interpreter, do not let this user execute it"
	case errno == syscall.EPERM, errno == syscall.ENOSYS: // the kernel itself refuses executing with others
		return "the policy refuses the call execve: allow it under syscalls, or extend a preset"
	case errno == syscall.E2BIG:
		return "the arguments and the environment are too long"
	case errno == syscall.ETXTBSY:
		return "it is open for writing: close it first"
	}
	return "see execve(2)"
}

// shows reports whether a folder of the host is there for the target too: in a
// bind, at a mount, or on the way to one.
func (s *Spec) shows(folder string) bool {
	if visible, _ := s.sees(folder); visible {
		return true
	}
	return slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Target == folder || within(m.Target, folder) })
}

// sees reports whether the Spec shows a host path, and what may be done with it.
func (s *Spec) sees(path string) (visible bool, access Access) {
	best := -1
	for _, m := range s.Mounts {
		if (m.Target == path || within(path, m.Target)) && len(m.Target) > best {
			best, visible, access = len(m.Target), m.Kind == Bind || m.Kind == Copy, m.Access
		}
	}
	return visible, access
}
