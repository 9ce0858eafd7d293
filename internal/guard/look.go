package guard

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/sys"
)

// place is where a path leads, bare.
type place struct {
	real string      // without links, but for the last one where it isn't followed
	info fs.FileInfo // nil where nothing is there
	in   fs.FileInfo // the folder that it is in
}

// viewer looks at the machine's files as a program would bare: with its user's
// rights.
type viewer struct {
	tid    int
	ids    []uint32 // its user, its group, and the others it is in
	mighty bool     // permissions don't hold for it
}

// viewerOf returns false for a task that left.
func viewerOf(tid int) (*viewer, bool) {
	v := &viewer{tid: tid}
	status, err := sys.ReadHead("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return nil, false
	}
	const effective = 1 // of the real, effective, saved and file-system ids
	var groups []uint32
	for line := range strings.Lines(status) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "Uid", "Gid":
			id, _ := strconv.ParseUint(strings.Fields(value)[effective], 10, 32)
			v.ids = append(v.ids, uint32(id))
		case "Groups":
			for _, field := range strings.Fields(value) {
				id, _ := strconv.ParseUint(field, 10, 32)
				groups = append(groups, uint32(id))
			}
		case "CapEff":
			const override = 1 << 1 // CAP_DAC_OVERRIDE
			bits, _ := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			v.mighty = bits&override != 0
		}
	}
	v.ids = append(v.ids, groups...)
	return v, len(v.ids) >= 2
}

// ofTask names the task where a path names whoever looks.
func (v *viewer) ofTask(name string) string {
	if rest, ok := strings.CutPrefix(name, "/proc/self/"); ok {
		return "/proc/" + strconv.Itoa(v.tid) + "/" + rest
	}
	return name
}

// may reports whether permissions let the task have bits of "rwx" (4, 2, 1).
func (v *viewer) may(info fs.FileInfo, bits fs.FileMode) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case v.mighty && (bits&1 == 0 || info.IsDir() || info.Mode()&0o111 != 0), !ok:
		return true
	case stat.Uid == v.ids[0]:
		return info.Mode()>>6&bits == bits
	case slices.Contains(v.ids[1:], stat.Gid):
		return info.Mode()>>3&bits == bits
	}
	return info.Mode()&bits == bits
}

// mostLinks is how many links the kernel follows (MAXSYMLINKS in fs/namei.c).
const mostLinks = 40

// look walks to a path that is absolute and clean. The error is what the walk ends
// with before its last name: ENOENT, ENOTDIR, EACCES, ELOOP.
func (v *viewer) look(name string, follow bool) (place, error) {
	at := place{real: "/"}
	rest, links := parts(name), 0
	var err error
	if at.info, err = os.Lstat("/"); err != nil {
		return at, err
	}
	for len(rest) > 0 {
		switch {
		case at.info == nil:
			return at, abi.ENOENT
		case !at.info.IsDir():
			return at, abi.ENOTDIR
		case !v.may(at.info, 1):
			return at, abi.EACCES
		}
		next, last := path.Join(at.real, rest[0]), len(rest) == 1
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return at, err
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && (!last || follow) {
			to, err := os.Readlink(next)
			if links++; err != nil || links > mostLinks {
				return at, abi.ELOOP
			}
			if path.IsAbs(to) {
				at = place{real: "/"}
			}
			if at.info, err = os.Lstat(at.real); err != nil {
				return at, err
			}
			rest = slices.Concat(parts(to), rest)
			continue
		}
		at = place{real: next, in: at.info}
		if err == nil {
			at.info = info
		}
	}
	return at, nil
}

// parts returns the names of a path, but for those that stay where they are.
func parts(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(part string) bool { return part == "" || part == "." })
}
