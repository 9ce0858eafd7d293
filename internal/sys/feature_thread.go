package sys

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// OnDoomedThread runs f on an operating-system thread of its own that ends
// with f, so that what f does to its thread (a filter, a Landlock domain,
// no_new_privs, another namespace, other capabilities) stays with f. Goroutines
// that f starts run elsewhere and see nothing of it.
func OnDoomedThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The runtime never ends the main thread, and /proc/self shows it.
			// Hold it here while another thread takes the work.
			err := OnDoomedThread(f)
			runtime.UnlockOSThread()
			result <- err
			return
		}
		var err error = errUnfinished
		defer func() { result <- err }()
		err = f()
	}()
	return <-result
}

// errUnfinished is what a caller sees of an f that left by runtime.Goexit.
const errUnfinished = unix.ECANCELED

// errnoErr turns the kernel's "no error" into Go's.
func errnoErr(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
