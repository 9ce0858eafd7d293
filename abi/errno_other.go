//go:build !linux

package abi

// hostErrno finds nothing: other systems number their errors differently.
func hostErrno(error) (Errno, bool) { return 0, false }
