package files

import (
	"path"
	"strings"
	"syscall"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// direct opens a file that is only to be read as soon as it finds it, and decides
// afterwards about what it opened: of a missing file, of which compilers try
// many, no more is asked than once. It is false where the kernel's own walk can't
// find what the target would.
func (o *opening) direct(folder int32, text string) (gate.Verdict, bool) {
	base, err := o.base(folder, text)
	if err != nil {
		return gate.Done(err), true
	}
	defer base.close()
	s, err := o.stroll(base.fd, text)
	switch err {
	case nil:
	case syscall.ENOENT, syscall.ENOTDIR, syscall.EACCES, syscall.ENAMETOOLONG, syscall.ENXIO:
		return gate.Done(err), true
	default:
		return gate.Verdict{}, false
	}
	if !o.ownProc && o.inProc(s) || hostNetwork(s.path) {
		s.close()
		return gate.Verdict{}, false
	}
	return o.opened(s), true
}

// stroll has the kernel walk, first as if there were no links: where it meets none,
// what it says is what it would say to the target, and the path from the root that
// it walked is the file's own. Where it does, only what it finds counts; that
// nothing is there it may say of callgate's own /proc/self.
func (o *opening) stroll(base int, text string) (*spot, error) {
	absolute := text[0] == '/'
	how := sys.WalkBeneath
	if absolute {
		how = sys.WalkInRoot
	}
	flags := o.flags | syscall.O_NONBLOCK | syscall.O_NOCTTY
	fd, err := sys.OpenAt(base, text, flags, 0, how|sys.WalkNoLinks)
	if err == syscall.EXDEV { // out of the folder it began in
		at, failed := sys.PathOf(base)
		if failed != nil || !strings.HasPrefix(at, "/") || strings.HasSuffix(at, deleted) {
			return nil, err
		}
		base, text, how, absolute = o.top, at+"/"+text, sys.WalkInRoot, true
		fd, err = sys.OpenAt(base, text, flags, 0, how|sys.WalkNoLinks)
	}
	switch {
	case err == nil && absolute:
		return &spot{folder: fd, path: path.Clean(text)}, nil
	case err == nil:
		return found(fd)
	case err != syscall.ELOOP:
		return nil, err
	}
	if fd, err = sys.OpenAt(base, text, flags, 0, how|sys.WalkNoMagicLinks); err != nil {
		return nil, errWalk
	}
	return found(fd)
}

// opened decides about a file that is open already, and gives it or closes it.
func (o *opening) opened(s *spot) gate.Verdict {
	defer s.close()
	stat, err := sys.StatAt(s.folder, "")
	if err == nil {
		err = o.decide(s, o.want())
	}
	kind := stat.Mode & syscall.S_IFMT
	o.fifo = kind == syscall.S_IFIFO
	switch {
	case err != nil:
		return gate.Done(err)
	case o.fifo && !o.has(syscall.O_NONBLOCK):
		return o.waitForWriter(s)
	case kind == syscall.S_IFCHR && stat.Rdev == ownTerminal:
		return o.terminal()
	}
	if err := sys.SetStatusFlags(s.folder, o.flags); err != nil {
		return gate.Done(err)
	}
	s.shared = true // the answer closes it
	return o.give(s.folder, nil)
}

// hostNetwork reports whether a path in /proc shows the network of whoever opens
// it, callgate's own.
func hostNetwork(path string) bool {
	rest, found := strings.CutPrefix(path, "/proc/sys/net/")
	return found && (strings.Contains(rest, "/conf") || strings.Contains(rest, "/neigh"))
}
