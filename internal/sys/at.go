package sys

import (
	"io/fs"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The functions of this file act on a name in an open folder, as the calls of
// the same names do (openat(2), unlinkat(2) and so on). Descriptors are plain
// numbers here: one is opened and closed for each call that passes the gate, and
// an [os.File] costs more than that. The errors are unix.Errno.

// How Resolve and OpenAt walk (openat2(2)).
const (
	WalkInRoot       uint64 = unix.RESOLVE_IN_ROOT
	WalkBeneath      uint64 = unix.RESOLVE_BENEATH
	WalkNoMagicLinks uint64 = unix.RESOLVE_NO_MAGICLINKS
	WalkNoLinks      uint64 = unix.RESOLVE_NO_SYMLINKS
)

// ModePath is the flag of a descriptor that only names its file (O_PATH).
const ModePath = unix.O_PATH

// OpenAt opens a name in a folder: openat(2), or for a walk openat2(2). EAGAIN, of
// a walk that something was renamed under, is tried again a few times.
func OpenAt(folder int, name string, flags int, mode uint32, walk uint64) (int, error) {
	if walk == 0 {
		return unix.Openat(folder, name, flags|unix.O_CLOEXEC, mode)
	}
	how := unix.OpenHow{Flags: uint64(flags) | unix.O_CLOEXEC, Mode: uint64(mode), Resolve: walk}
	for tries := 0; ; tries++ {
		fd, err := unix.Openat2(folder, name, &how)
		if err == unix.EAGAIN && tries < 16 {
			continue
		}
		return fd, err
	}
}

// OpenPlain opens a path of the caller's own world, with O_CLOEXEC: open(2).
func OpenPlain(path string, flags int) (int, error) {
	return unix.Open(path, flags|unix.O_CLOEXEC, 0)
}

// Close closes a descriptor.
func Close(fd int) { unix.Close(fd) }

// PathOf returns the path by which a descriptor's file was found, as the kernel
// has it now (proc_pid_fd(5)). What lies in another mount namespace begins at
// that one's root.
func PathOf(fd int) (string, error) {
	folder, err := ownDescriptors()
	if err != nil {
		return "", err
	}
	return ReadLinkAt(folder, strconv.Itoa(fd))
}

// ownDescriptors is /proc/self/fd, opened once: a walk there costs more than the
// rest of PathOf.
var ownDescriptors = sync.OnceValues(func() (int, error) { return OpenPlain("/proc/self/fd", unix.O_PATH|unix.O_DIRECTORY) })

func selfFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// ReadLinkAt returns the text of a link: EINVAL where the name is none, and
// ENAMETOOLONG where the text is longer than a path may be.
func ReadLinkAt(folder int, name string) (string, error) {
	var text [unix.PathMax]byte
	n, err := unix.Readlinkat(folder, name, text[:])
	switch {
	case err != nil:
		return "", err
	case n == len(text):
		return "", unix.ENAMETOOLONG
	}
	return string(text[:n]), nil
}

// StatAt returns what stands at a name, a link not followed, or, for "", what
// the descriptor leads to.
func StatAt(folder int, name string) (unix.Stat_t, error) {
	var stat unix.Stat_t
	flags := unix.AT_SYMLINK_NOFOLLOW
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	err := unix.Fstatat(folder, name, &stat, flags)
	return stat, err
}

// IsProc reports whether a descriptor leads into a /proc.
func IsProc(fd int) bool {
	var stat unix.Statfs_t
	return unix.Fstatfs(fd, &stat) == nil && stat.Type == unix.PROC_SUPER_MAGIC
}

// Reopen opens the file that a descriptor leads to once more.
func Reopen(fd, flags int) (int, error) { return OpenPlain(selfFD(fd), flags) }

// SetStatusFlags sets a descriptor's O_NONBLOCK, O_APPEND and so on (fcntl(2)).
func SetStatusFlags(fd, flags int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	return err
}

// WriterCame reports whether a FIFO's reading end has something to read, or had a
// writer that is gone (poll(2)).
func WriterCame(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1
}

// UnlinkAt removes a file, or with folder a folder.
func UnlinkAt(folder int, name string, isFolder bool) error {
	flags := 0
	if isFolder {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(folder, name, flags)
}

// MkdirAt makes a folder.
func MkdirAt(folder int, name string, mode uint32) error { return unix.Mkdirat(folder, name, mode) }

// MknodAt makes a file, a FIFO, a socket or a device.
func MknodAt(folder int, name string, mode uint32, device uint64) error {
	return unix.Mknodat(folder, name, mode, int(device))
}

// SymlinkAt makes a link with a text.
func SymlinkAt(text string, folder int, name string) error {
	return unix.Symlinkat(text, folder, name)
}

// LinkAt gives a file a second name. For an empty old name it is the file that
// the descriptor leads to.
func LinkAt(oldFolder int, oldName string, newFolder int, newName string) error {
	if oldName == "" {
		return unix.Linkat(unix.AT_FDCWD, selfFD(oldFolder), newFolder, newName, unix.AT_SYMLINK_FOLLOW)
	}
	return unix.Linkat(oldFolder, oldName, newFolder, newName, 0)
}

// RenameAt renames, with the flags of renameat2(2).
func RenameAt(oldFolder int, oldName string, newFolder int, newName string, flags uint) error {
	return unix.Renameat2(oldFolder, oldName, newFolder, newName, flags)
}

// RenameExchange has RenameAt exchange what stands at the two names.
const RenameExchange = unix.RENAME_EXCHANGE

// ChmodAt changes the permissions of what stands at a name, or, for "", of what
// the descriptor leads to. A link's own can't be changed.
func ChmodAt(folder int, name string, mode uint32) error {
	return unix.Fchmodat(unix.AT_FDCWD, at(folder, name), mode, 0)
}

// HasChmodFlags reports whether the kernel has fchmodat2(2), which takes flags: since
// Linux 6.6.
var HasChmodFlags = sync.OnceValue(func() bool {
	noFolder := -1
	_, _, errno := unix.RawSyscall6(unix.SYS_FCHMODAT2, uintptr(noFolder), 0, 0, 0, 0, 0)
	return errno != unix.ENOSYS
})

// ChownAt changes the owners; a link is not followed.
func ChownAt(folder int, name string, uid, gid int) error {
	return unix.Fchownat(folder, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH)
}

// SetTimesAt sets the times of access and change, or, for nil, has both be now.
func SetTimesAt(folder int, name string, times *[2]unix.Timespec) error {
	if name == "" {
		folder, name = unix.AT_FDCWD, selfFD(folder)
		return utimensat(folder, name, times, 0)
	}
	return utimensat(folder, name, times, unix.AT_SYMLINK_NOFOLLOW)
}

func utimensat(folder int, name string, times *[2]unix.Timespec, flags uintptr) error {
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return unix.EINVAL
	}
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(folder), uintptr(unsafe.Pointer(text)), uintptr(unsafe.Pointer(times)), flags, 0, 0)
	return errnoErr(errno)
}

// Timespec is struct timespec (clock_gettime(2)).
type Timespec = unix.Timespec

// Stat is struct stat (stat(2)).
type Stat = unix.Stat_t

// Truncate sets an open file's length: ftruncate(2).
func Truncate(fd int, length int64) error { return unix.Ftruncate(fd, length) }

// GetAttribute reads an extended attribute (xattr(7)) of what stands at a name, a
// link not followed; for "" of what the descriptor leads to. So do the three that
// follow.
func GetAttribute(folder int, name, attribute string, value []byte) (int, error) {
	if name == "" {
		return unix.Getxattr(selfFD(folder), attribute, value)
	}
	return unix.Lgetxattr(at(folder, name), attribute, value)
}

// ListAttributes fills list with names, each with its ending NUL.
func ListAttributes(folder int, name string, list []byte) (int, error) {
	if name == "" {
		return unix.Listxattr(selfFD(folder), list)
	}
	return unix.Llistxattr(at(folder, name), list)
}

// SetAttribute sets one; flags are XATTR_CREATE and XATTR_REPLACE.
func SetAttribute(folder int, name, attribute string, value []byte, flags int) error {
	if name == "" {
		return unix.Setxattr(selfFD(folder), attribute, value, flags)
	}
	return unix.Lsetxattr(at(folder, name), attribute, value, flags)
}

// RemoveAttribute removes one.
func RemoveAttribute(folder int, name, attribute string) error {
	if name == "" {
		return unix.Removexattr(selfFD(folder), attribute)
	}
	return unix.Lremovexattr(at(folder, name), attribute)
}

// at is a name in an open folder, for calls that take no descriptor.
func at(folder int, name string) string {
	if name == "" {
		return selfFD(folder)
	}
	return selfFD(folder) + "/" + name
}

// FileSizeLimit returns how long a process may make files (RLIMIT_FSIZE).
func FileSizeLimit(pid int) (uint64, error) {
	var limit unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit)
	return limit.Cur, err
}

// ReadHead returns the beginning of a file, at most 4096 bytes. Errors are
// *fs.PathError.
func ReadHead(path string) (string, error) {
	fd, err := OpenPlain(path, unix.O_RDONLY)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var text [4096]byte
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return string(text[:n]), nil
}
