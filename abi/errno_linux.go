package abi

import (
	"errors"
	"syscall"
)

// As lets errors.As find an Errno as the system's own syscall.Errno.
func (e Errno) As(target any) bool {
	host, ok := target.(*syscall.Errno)
	if ok {
		*host = syscall.Errno(e)
	}
	return ok
}

// hostErrno finds the system's own errno in an error.
func hostErrno(err error) (Errno, bool) {
	var host syscall.Errno
	if !errors.As(err, &host) || host == 0 {
		return 0, false
	}
	return Errno(host), true
}
