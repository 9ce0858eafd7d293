package abi

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Errno is a Linux error number, the same on every system this package is
// built for. The zero Errno is no error, and must not be used as one.
type Errno uint16

// ENOTSUP is the C library's second name for EOPNOTSUPP.
const ENOTSUP = EOPNOTSUPP

// Name is the errno's C name ("EACCES"), or "errno 4000" if it has none.
func (e Errno) Name() string {
	if int(e) < len(errnos) && errnos[e].name != "" {
		return errnos[e].name
	}
	return fmt.Sprintf("errno %d", uint16(e))
}

// Error is the errno in words ("permission denied").
func (e Errno) Error() string {
	if int(e) < len(errnos) && errnos[e].text != "" {
		return errnos[e].text
	}
	return e.Name()
}

// Is answers errors.Is for the portable errors of io/fs and errors, as
// syscall.Errno does, and on Linux for the syscall.Errno of the same number. It
// cannot answer for a syscall.Errno that is asked whether it is an Errno: ask
// [ErrnoOf].
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrPermission:
		return e == EACCES || e == EPERM
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrNotExist:
		return e == ENOENT
	case errors.ErrUnsupported:
		return e == ENOSYS || e == EOPNOTSUPP
	}
	host, ok := hostErrno(target)
	return ok && host == e
}

// ParseErrno finds an errno by its C name ("EACCES"), second names included.
func ParseErrno(name string) (Errno, bool) {
	for number := range errnos {
		if name != "" && errnos[number].name == name {
			return Errno(number), true
		}
	}
	if name == "ENOTSUP" {
		return ENOTSUP, true
	}
	i := slices.IndexFunc(errnoAliases[:], func(alias errnoAlias) bool { return alias.name == name })
	if i < 0 {
		return 0, false
	}
	return errnoAliases[i].errno, true
}

// errnoAlias is a second name of an errno.
type errnoAlias struct {
	name  string
	errno Errno
}

// ErrnoOf is the errno that a task should see for an error: the one the error
// wraps, or the nearest to what it says, or EIO. It is 0 for nil.
func ErrnoOf(err error) Errno {
	var errno Errno
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &errno):
		return errno
	}
	if host, ok := hostErrno(err); ok {
		return host
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ENOENT
	case errors.Is(err, fs.ErrPermission):
		return EACCES
	case errors.Is(err, fs.ErrExist):
		return EEXIST
	case errors.Is(err, fs.ErrInvalid):
		return EINVAL
	case errors.Is(err, fs.ErrClosed):
		return EBADF
	case errors.Is(err, errors.ErrUnsupported):
		return EOPNOTSUPP
	case errors.As(err, &timeout) && timeout.Timeout(): // context.DeadlineExceeded among others
		return ETIMEDOUT
	}
	return EIO
}
