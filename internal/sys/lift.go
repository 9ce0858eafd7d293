package sys

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// StatRaw returns what stat(2) tells of a descriptor's file, in the bytes of
// struct stat.
func StatRaw(fd int) ([]byte, error) {
	stat, err := StatAt(fd, "")
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&stat)), unsafe.Sizeof(stat))...), nil
}

// StatxRaw returns what statx(2) tells, in the bytes of struct statx.
func StatxRaw(fd, flags int, mask uint32) ([]byte, error) {
	var stat unix.Statx_t
	if err := unix.Statx(fd, "", flags|unix.AT_EMPTY_PATH, int(mask), &stat); err != nil {
		return nil, err
	}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&stat)), unsafe.Sizeof(stat))...), nil
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

// MayAccess asks whether the calling thread's user may do with a descriptor's
// file what the mode says, R_OK and so on: access(2).
func MayAccess(fd int, mode uint32) error {
	return unix.Faccessat(unix.AT_FDCWD, selfFD(fd), mode, 0)
}

// StartOf returns when a process was started, in ticks since the machine was
// (starttime in proc_pid_stat(5)): with its number, it names a process among all
// that there were.
func StartOf(pid string) (string, error) {
	text, err := ReadHead("/proc/" + pid + "/stat")
	if err != nil {
		return "", err
	}
	const start = 22 - 3 // the name, which may hold anything, is the second field
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return "", unix.EIO
	}
	return fields[start], nil
}
