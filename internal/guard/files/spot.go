package files

import (
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// spot is where a path leads: a name in a folder, whatever stands there, or the
// file that a descriptor leads to.
type spot struct {
	folder int    // a descriptor of the folder, or of the file itself
	shared bool   // the descriptor is another's to close
	path   string // of the descriptor's file
	name   string // in the folder; "" for the descriptor's file itself
	slash  bool   // the path ended in a slash: it names a folder
}

func (s *spot) close() {
	if s != nil && !s.shared {
		sys.Close(s.folder)
	}
}

// full is the spot's path, as the kernel has it.
func (s *spot) full() string {
	if s.name == "" {
		return s.path
	}
	return strings.TrimSuffix(s.path, "/") + "/" + s.name
}

// nameless reports whether a descriptor's file has no name left.
func (s *spot) nameless() bool {
	stat, err := sys.StatAt(s.folder, "")
	return err == nil && stat.Nlink == 0
}

// Here is the number that stands for the working folder (AT_FDCWD).
const Here = here

const here = -100

// find follows a path to its spot: from the target's root, from its working
// folder, or from an open folder. The last name's link is followed if asked for.
// The kernel walks, and has no magic links; where it can't, walk does.
func (c *call) find(folder int32, text string, follow bool) (*spot, error) {
	if text == "" {
		return nil, syscall.ENOENT
	}
	base, err := c.base(folder, text)
	if err != nil {
		return nil, err
	}
	s, err := c.findFrom(&base, text, follow)
	if err == nil && s.folder == base.fd {
		s.shared, base.shared = base.shared, true // it is the spot's to close
	}
	base.close()
	return s, err
}

// start is the folder that a path begins at.
type start struct {
	fd     int
	shared bool // the descriptor is another's to close
}

func (b *start) close() {
	if !b.shared {
		sys.Close(b.fd)
	}
}

// findFrom leaves in base the last folder that a link's text began at.
func (c *call) findFrom(base *start, text string, follow bool) (*spot, error) {
	for links := 0; ; links++ {
		s, err := c.stride(base.fd, text)
		if err == nil && c.inProc(s) {
			s.close()
			err = errWalk
		}
		if err != nil {
			return c.walk(base.fd, text, follow)
		}
		if s.name == "" || !follow && !s.slash {
			return s, nil
		}
		link, err := sys.ReadLinkAt(s.folder, s.name)
		if err != nil { // no link, or nothing
			return s, nil
		}
		if links == maxLinks {
			s.close()
			return nil, syscall.ELOOP
		}
		if s.slash {
			link += "/"
		}
		if text = link; path.IsAbs(text) {
			s.close()
			base.close()
			*base = start{c.top, true}
		} else if s.folder != base.fd {
			base.close()
			*base = start{s.folder, false}
		}
	}
}

// errWalk says that the kernel's own way isn't enough.
const errWalk = syscall.EXDEV

// stride has the kernel walk to the last name's folder in one call.
func (c *call) stride(base int, text string) (*spot, error) {
	how := sys.WalkBeneath | sys.WalkNoMagicLinks
	if path.IsAbs(text) {
		how = sys.WalkInRoot | sys.WalkNoMagicLinks
	}
	trimmed := strings.TrimRight(text, "/")
	s := &spot{slash: len(trimmed) < len(text)}
	before, name := cutLast(trimmed)
	if name == "" || name == "." || name == ".." {
		before, name = text, ""
	}
	s.name = name
	var err error
	if before == "" {
		s.folder, s.shared = base, true
	} else {
		s.folder, err = sys.OpenAt(base, before, sys.ModePath|syscall.O_DIRECTORY, 0, how)
	}
	if err != nil {
		return nil, err
	}
	if s.path, err = sys.PathOf(s.folder); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// cutLast cuts a path before its last name: "/a/b" is "/a" and "b", "/b" "/" and "b".
func cutLast(text string) (before, name string) {
	i := strings.LastIndexByte(text, '/')
	if i == 0 {
		return "/", text[1:]
	}
	return text[:max(i, 0)], text[i+1:]
}

// findRoot opens the target's root, if no call has before.
func (c *call) findRoot() (err error) {
	c.top, err = c.root.get(func() (int, error) { return c.open("root") })
	return err
}

// base opens what a path begins at.
func (c *call) base(folder int32, text string) (start, error) {
	if err := c.findRoot(); err != nil {
		return start{}, err
	}
	if path.IsAbs(text) {
		return start{c.top, true}, nil
	}
	entry := "cwd"
	if folder != here {
		entry = "fd/" + strconv.Itoa(int(folder))
	}
	fd, err := c.open(entry)
	return start{fd, false}, err
}

// open opens what the target's own /proc entry leads to. The number may have
// become another's before the entry was opened, but not while the target waits.
func (c *call) open(entry string) (int, error) {
	fd, err := sys.OpenPlain("/proc/"+strconv.Itoa(c.Task.TID)+"/"+entry, sys.ModePath)
	if !c.Waits() {
		if err == nil {
			sys.Close(fd)
		}
		return -1, gate.ErrGone
	}
	if err == syscall.ENOENT && strings.HasPrefix(entry, "fd/") {
		err = syscall.EBADF
	}
	return fd, err
}

// object is the spot of what a descriptor of the target leads to.
func (c *call) object(descriptor int32) (*spot, error) {
	entry := "cwd"
	if descriptor != here {
		if descriptor < 0 {
			return nil, syscall.EBADF
		}
		entry = "fd/" + strconv.Itoa(int(descriptor))
	}
	fd, err := c.open(entry)
	if err != nil {
		return nil, err
	}
	return found(fd)
}

// opened is object for a call that asks for an open file: neither the working
// folder nor a descriptor that only names its file is one.
func (c *call) opened(descriptor int32) (*spot, error) {
	if descriptor < 0 {
		return nil, syscall.EBADF
	}
	text, err := sys.ReadShort("/proc/" + strconv.Itoa(c.Task.TID) + "/fdinfo/" + strconv.Itoa(int(descriptor)))
	flags, _ := strconv.ParseUint(lastField(text, "flags:"), 8, 32)
	switch {
	case !c.Waits():
		return nil, gate.ErrGone
	case err != nil, flags&modePath != 0:
		return nil, syscall.EBADF
	}
	return c.object(descriptor)
}

// found is the spot of a file that was opened.
func found(fd int) (*spot, error) {
	name, err := sys.PathOf(fd)
	if err != nil {
		sys.Close(fd)
		return nil, err
	}
	return &spot{folder: fd, path: name}, nil
}
