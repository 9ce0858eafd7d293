package sys

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Sight is what a path leads to.
type Sight struct {
	Path string // without links; "" for what has none, such as a pipe
	Type uint32 // S_IFREG, S_IFDIR and so on (inode(7))
}

// Look follows a path to what stands there, and opens nothing of it (O_PATH of
// open(2)). Errors are *fs.PathError.
func Look(path string) (Sight, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return Sight{}, &fs.PathError{Op: "look at", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return Sight{}, &fs.PathError{Op: "look at", Path: path, Err: err}
	}
	sight := Sight{Type: stat.Mode & unix.S_IFMT}
	if real, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && real[0] == '/' {
		sight.Path = real
	}
	return sight, nil
}

// SocketOf tells the type and protocol of another task's socket (socket(7):
// SO_TYPE, SO_PROTOCOL). The caller must be allowed to trace the task.
func SocketOf(pid, descriptor int) (kind, protocol int, err error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, descriptor, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(fd)
	if kind, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return 0, 0, err
	}
	protocol, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return kind, protocol, err
}
