package sys

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// The functions of this file are what os offers without its cost at start: a
// poller, finalizers, a FileInfo each.

// FileType returns what stands at a path, without following a link: S_IFREG,
// S_IFDIR, S_IFLNK and so on (inode(7)). Errors are *fs.PathError.
func FileType(path string) (uint32, error) {
	var stat unix.Stat_t
	err := unix.EINTR
	for err == unix.EINTR {
		err, _ = unix.Fstatat(unix.AT_FDCWD, path, &stat, unix.AT_SYMLINK_NOFOLLOW).(unix.Errno)
	}
	if err != 0 {
		return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return stat.Mode & unix.S_IFMT, nil
}

// ReadShort returns the first bytes of a file, at most 256. Errors are
// *fs.PathError.
func ReadShort(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var text [256]byte
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return string(text[:n]), nil
}
