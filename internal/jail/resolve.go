package jail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// resolved is a path with every symbolic link on the way followed.
type resolved struct {
	path   string            // with no link in it
	folder bool              // a directory stands there
	links  map[string]string // the links that were followed: where each stands, its text
}

// resolve follows a path on the host. The links are kept so that the target can
// be given the same ones: /bin stays a link to usr/bin.
func resolve(name string) (resolved, error) {
	r := resolved{path: "/", folder: true, links: map[string]string{}}
	rest := strings.Split(path.Clean(name), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			r.path = path.Dir(r.path)
			continue
		}
		next := path.Join(r.path, part)
		info, err := os.Lstat(next)
		if err != nil {
			return resolved{}, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			r.path, r.folder = next, info.IsDir()
			continue
		}
		if len(r.links) == maxLinks {
			return resolved{}, &fs.PathError{Op: "resolve", Path: name, Err: syscall.ELOOP}
		}
		text, err := os.Readlink(next)
		if err != nil {
			return resolved{}, err
		}
		r.links[next] = text
		if path.IsAbs(text) {
			r.path = "/"
		}
		rest = append(strings.Split(text, "/"), rest...)
		r.folder = true
	}
	return r, nil
}

// maxLinks is the kernel's own bound on links in one path (MAXSYMLINKS).
const maxLinks = 40

// absent reports whether an error means that a path leads nowhere.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// missingPath is the error for a path that a policy names and the host lacks.
func missingPath(where, name string, err error) error {
	return fmt.Errorf("%s: %w: create it, or write \"-%s\" for a path that may be missing", where, err, name)
}
