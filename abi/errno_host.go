package abi

import (
	"errors"
	"reflect"
	"runtime"
)

// As lets errors.As find an Errno as the system's own syscall.Errno.
func (e Errno) As(target any) bool {
	pointer := reflect.ValueOf(target)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || !isHostErrno(pointer.Type().Elem()) {
		return false
	}
	pointer.Elem().SetUint(uint64(e))
	return true
}

// hostErrno finds the system's own syscall.Errno in an error.
func hostErrno(err error) (Errno, bool) {
	var host interface { // what syscall.Errno has beside Error
		Is(error) bool
		Temporary() bool
		Timeout() bool
	}
	if !errors.As(err, &host) {
		return 0, false
	}
	value := reflect.ValueOf(host)
	if !isHostErrno(value.Type()) || value.Uint() == 0 {
		return 0, false
	}
	return Errno(value.Uint()), true
}

// isHostErrno knows syscall.Errno by its name: a pure package does not import
// syscall, which is another on each system, and only Linux numbers its errors
// as Errno does.
func isHostErrno(t reflect.Type) bool {
	return runtime.GOOS == "linux" && t.Kind() == reflect.Uintptr && t.PkgPath() == "syscall" && t.Name() == "Errno"
}
