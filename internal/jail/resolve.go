package jail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// resolved is a path with every symbolic link on the way followed.
type resolved struct {
	path   string            // with no link in it
	folder bool              // a directory stands there
	links  map[string]string // the links that were followed: where each stands, its text
}

// resolver follows paths on the host, and remembers what it saw: the paths of a
// policy share most of their folders.
type resolver struct {
	seen map[string]sight
}

// sight is what stands at a path whose parent is no link.
type sight struct {
	folder bool
	link   string // a link's text
	err    error
}

// maxLinks is the kernel's own bound on links in one path (MAXSYMLINKS).
const maxLinks = 40

// resolve is resolver.resolve for a single path.
func resolve(name string) (resolved, error) { return new(resolver).resolve(name) }

// resolve follows an absolute path. The links are kept so that the target can
// be given the same ones: /bin stays a link to usr/bin.
func (r *resolver) resolve(name string) (resolved, error) {
	out := resolved{path: "/", folder: true}
	followed := 0
	rest := strings.Split(path.Clean(name), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			out.path, out.folder = path.Dir(out.path), true
			continue
		}
		next := path.Join(out.path, part)
		at := r.look(next)
		if at.err != nil {
			return resolved{}, at.err
		}
		if at.link == "" {
			out.path, out.folder = next, at.folder
			continue
		}
		if followed++; followed > maxLinks {
			return resolved{}, &fs.PathError{Op: "resolve", Path: name, Err: syscall.ELOOP}
		}
		if out.links == nil {
			out.links = map[string]string{}
		}
		out.links[next] = at.link
		if path.IsAbs(at.link) {
			out.path = "/"
		}
		rest = append(strings.Split(at.link, "/"), rest...)
		out.folder = true
	}
	return out, nil
}

// look returns what stands at a path.
func (r *resolver) look(name string) sight {
	if at, ok := r.seen[name]; ok {
		return at
	}
	var at sight
	switch kind, err := sys.FileType(name); {
	case err != nil:
		at.err = err
	case kind == syscall.S_IFLNK:
		at.link, at.err = os.Readlink(name)
	default:
		at.folder = kind == syscall.S_IFDIR
	}
	if r.seen == nil {
		r.seen = make(map[string]sight, 100)
	}
	r.seen[name] = at
	return at
}

// absent reports whether an error means that a path leads nowhere.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// unseen reports whether a path leads nowhere, as far as this user may look: what
// may be missing is then left out.
func unseen(err error) bool { return absent(err) || errors.Is(err, fs.ErrPermission) }

// pathError is the error for a path that a policy names and that leads nowhere.
func pathError(where, name string, err error) error {
	cure := fmt.Sprintf("create it, or write \"-%s\" for a path that may be missing", name)
	switch {
	case errors.Is(err, syscall.ELOOP):
		cure = "its symbolic links lead in a circle: remove one of them"
	case errors.Is(err, fs.ErrPermission):
		cure = fmt.Sprintf("this user may not look there: run as one who may, or write \"-%s\" to go on without it", name)
	case errors.Is(err, syscall.ENAMETOOLONG):
		cure = "shorten it"
	}
	return fmt.Errorf("%s: %w: %s", where, err, cure)
}
