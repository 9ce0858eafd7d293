// Package attack holds programs that try to get out of a jail, for the tests of
// internal/jail; nothing that callgate runs imports it. Each Attack makes one
// attempt and says whether it succeeded. A test first shows that the attack
// succeeds without the wall under test, and then that it fails behind it.
//
// An attack does no harm where it succeeds: it opens a file for writing and
// writes nothing, makes a namespace and leaves it, ends a process that was
// started to be ended.
package attack

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Attack makes one attempt on what aim names: a path, a process, an address. It
// returns nil when it succeeded, and otherwise why not.
type Attack struct {
	Name string
	Try  func(aim string) error
}

// All returns every attack, by theme.
func All() []Attack {
	return slices.Concat(files(), processes(), namespaces(), mounts(), rings(), sockets(), network(), kernel(), devices(), terminals(), programs())
}

// Done is the outcome of an attack that succeeded.
const Done = "done"

// ErrNotFound is the outcome of a search that found nothing to attack.
var ErrNotFound = errors.New("nothing found")

// Main makes the attempt that arguments name, writes its outcome to standard
// output and ends the process. The outcome is Done, the name of an errno, or a
// sentence.
func Main(name, aim string) {
	for _, a := range All() {
		if a.Name == name {
			fmt.Println(outcome(a.Try(aim)))
			os.Exit(0)
		}
	}
	fmt.Fprintf(os.Stderr, "no attack is called %q\n", name)
	os.Exit(2)
}

func outcome(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return Done
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

// split cuts an aim of two parts.
func split(aim string) (first, second string) {
	first, second, _ = strings.Cut(aim, "|")
	return first, second
}

// call makes a system call on this thread.
func call(nr uintptr, args ...uintptr) (uintptr, error) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}
