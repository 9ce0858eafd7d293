package sys

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Identity is which file something is.
type Identity struct {
	Major, Minor uint32 // of its device
	Inode        uint64
	Type         uint32 // S_IFREG, S_IFIFO and so on (inode(7))
}

// Same reports whether both are one file.
func (i Identity) Same(other Identity) bool {
	return i.Major == other.Major && i.Minor == other.Minor && i.Inode == other.Inode
}

// identityMask asks for no time: a file whose times were asked for gets a finer
// one with its next write, which a journal must record (Linux 6.13,
// Documentation/filesystems/multigrain-ts.rst).
const identityMask = unix.STATX_TYPE | unix.STATX_INO

// IdentityAt returns which file stands at a path, links followed: statx(2).
// Errors are *fs.PathError.
func IdentityAt(path string) (Identity, error) {
	return identity(unix.AT_FDCWD, path, 0)
}

// IdentityOf returns which file a descriptor leads to. Errors are *fs.PathError
// without a path.
func IdentityOf(fd int) (Identity, error) {
	return identity(fd, "", unix.AT_EMPTY_PATH)
}

func identity(fd int, path string, flags int) (Identity, error) {
	var stat unix.Statx_t
	err := unix.EINTR
	for err == unix.EINTR {
		err, _ = unix.Statx(fd, path, flags, identityMask, &stat).(unix.Errno)
	}
	if err != 0 {
		return Identity{}, &fs.PathError{Op: "statx", Path: path, Err: err}
	}
	return Identity{
		Major: stat.Dev_major, Minor: stat.Dev_minor, Inode: stat.Ino,
		Type: uint32(stat.Mode) & unix.S_IFMT,
	}, nil
}

// Mounted is which file a descriptor leads to, by which mount.
type Mounted struct {
	Major, Minor uint32
	Inode, Mount uint64
}

// MountedOf is IdentityOf with the number of the mount, which Linux 5.8 tells
// (statx(2)).
func MountedOf(fd int) (Mounted, error) {
	var stat unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_MNT_ID, &stat); err != nil {
		return Mounted{}, err
	}
	if stat.Mask&unix.STATX_MNT_ID == 0 {
		return Mounted{}, unix.EOPNOTSUPP
	}
	return Mounted{stat.Dev_major, stat.Dev_minor, stat.Ino, stat.Mnt_id}, nil
}
