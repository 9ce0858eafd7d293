package files

import (
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// find is a file of the machine's, or a folder and the name of what is not there
// yet.
type find struct {
	fd   int // of the file, or of the folder: it names it, and opens nothing
	path string
	name string // of what is to be made
	stat sys.Stat
}

func (f *find) close() {
	if f.fd >= 0 {
		sys.Close(f.fd)
	}
	f.fd = -1
}

// full is the real path.
func (f *find) full() string {
	if f.name == "" {
		return f.path
	}
	return strings.TrimSuffix(f.path, "/") + "/" + f.name
}

// findOnHost follows a path on the machine, as callgate sees it.
func findOnHost(name string, follow, creates bool) (*find, error) {
	flags := sys.ModePath
	if !follow {
		flags |= syscall.O_NOFOLLOW
	}
	f := &find{}
	var err error
	f.fd, err = sys.OpenAt(here, name, flags, 0, sys.WalkNoMagicLinks)
	if err == syscall.ENOENT && creates {
		var folder string
		folder, f.name = cutLast(name)
		if f.name == "" || f.name == "." || f.name == ".." {
			return nil, err
		}
		f.fd, err = sys.OpenAt(here, folder, sys.ModePath|syscall.O_DIRECTORY, 0, sys.WalkNoMagicLinks)
	}
	if err != nil {
		return nil, err
	}
	if f.stat, err = sys.StatAt(f.fd, ""); err == nil {
		f.path, err = sys.PathOf(f.fd)
	}
	if err == nil && !strings.HasPrefix(f.path, "/") {
		err = syscall.ENOENT
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}
