package attack

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminals are attacks on the terminal at standard input.
func terminals() []Attack {
	return []Attack{
		{"type", func(string) error { return typeIn(unix.TIOCSTI) }},
		{"type with high bits", func(string) error { return typeIn(1<<32 | unix.TIOCSTI) }},
		{"paste", func(string) error { return console(3) }},                         // TIOCL_PASTESEL
		{"ask the console for keys held", func(string) error { return console(6) }}, // TIOCL_GETSHIFTSTATE
		{"open the terminal", func(string) error { return open("/dev/tty", unix.O_RDWR) }},
		{"take the terminal", func(string) error {
			_, err := call(unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 1)
			return err
		}},
	}
}

const tioclinux = 0x541c // TIOCLINUX (asm-generic/ioctls.h)

// console makes a request of a virtual console (ioctl_console(2)).
func console(subcode byte) error {
	_, err := call(unix.SYS_IOCTL, 0, tioclinux, uintptr(unsafe.Pointer(&subcode)))
	return err
}

// typeIn puts a character into the terminal's input, as if typed.
func typeIn(request uintptr) error {
	character := byte('!')
	_, err := call(unix.SYS_IOCTL, 0, request, uintptr(unsafe.Pointer(&character)))
	return err
}
