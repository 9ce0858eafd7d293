package files

import (
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// wall returns the error that the walls have for a call, or 0 where they let
// it, and the path of what the target finds, if it does.
func (r *request) wall(name string) (errno abi.Errno, real string) {
	if r.findRoot() != nil {
		return 0, ""
	}
	flags := sys.ModePath
	if !r.follow {
		flags |= syscall.O_NOFOLLOW
	}
	fd, err := sys.OpenAt(r.top, name, flags, 0, sys.WalkInRoot|sys.WalkNoMagicLinks)
	if err == nil {
		defer sys.Close(fd)
		if real, err = sys.PathOf(fd); err != nil || inProcess(real) {
			return 0, ""
		}
		return r.lacks(real, r.want), real
	}
	missing := abi.ErrnoOf(err)
	switch missing {
	case abi.ENOENT:
		if r.creates {
			return r.lacksFolder(name), ""
		}
	case abi.EACCES, abi.ENOTDIR:
	default:
		return 0, ""
	}
	return missing, ""
}

// lacksFolder is wall for a file that is to be made.
func (r *request) lacksFolder(name string) abi.Errno {
	folder, last := cutLast(strings.TrimRight(name, "/"))
	if last == "" {
		return 0
	}
	fd, err := sys.OpenAt(r.top, folder, sys.ModePath|syscall.O_DIRECTORY, 0, sys.WalkInRoot|sys.WalkNoMagicLinks)
	if err != nil {
		return abi.ErrnoOf(err)
	}
	defer sys.Close(fd)
	real, err := sys.PathOf(fd)
	if err != nil || inProcess(real) {
		return 0
	}
	return r.lacks(strings.TrimSuffix(real, "/")+"/"+last, policy.Write)
}

// lacks returns the error of the walls for what is done with what the target sees
// at a path.
func (h *Handler) lacks(real string, want policy.Access) abi.Errno {
	if match, ok := h.patterns.Decide(real); ok {
		if err := refused(match, real, want); err != nil {
			return abi.ErrnoOf(err)
		}
	}
	for at := real; ; at = parent(at) {
		access, placed := h.places[at]
		switch {
		case placed && access != 0 && want&^access == 0:
			return 0
		case placed && access != 0 && !h.alone && want&policy.Write != 0:
			return abi.EROFS
		case placed:
			return abi.EACCES
		case at != "/":
			continue
		case h.alone && want != 0:
			return abi.EACCES
		case want&policy.Write != 0: // the folders that lead to places
			return abi.EROFS
		}
		return 0
	}
}

// sameInTarget reports whether the target sees a file of the machine's at its real
// path, and may do there what it wants.
func (r *request) sameInTarget(found *find) bool {
	fd, err := sys.OpenAt(r.top, found.full(), sys.ModePath|syscall.O_NOFOLLOW, 0, sys.WalkInRoot|sys.WalkNoMagicLinks)
	if err != nil {
		return false
	}
	defer sys.Close(fd)
	there, err := sys.StatAt(fd, "")
	return err == nil && there.Dev == found.stat.Dev && there.Ino == found.stat.Ino && r.lacks(found.full(), r.want) == 0
}
