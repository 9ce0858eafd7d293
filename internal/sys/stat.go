package sys

import (
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

// MayAccess asks whether the calling thread's user may do with a descriptor's
// file what the mode says, R_OK and so on: access(2).
func MayAccess(fd int, mode uint32) error {
	return unix.Faccessat(unix.AT_FDCWD, selfFD(fd), mode, 0)
}
