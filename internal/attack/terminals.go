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
		{"paste", func(string) error {
			const paste = 3 // TIOCL_PASTESEL
			argument := byte(paste)
			_, err := call(unix.SYS_IOCTL, 0, tioclinux, uintptr(unsafe.Pointer(&argument)))
			return err
		}},
		{"open the terminal", func(string) error { return open("/dev/tty", unix.O_RDWR) }},
		{"take the terminal", func(string) error {
			_, err := call(unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 1)
			return err
		}},
	}
}

const tioclinux = 0x541c // TIOCLINUX (asm-generic/ioctls.h)

// typeIn puts a character into the terminal's input, as if typed.
func typeIn(request uintptr) error {
	character := byte('!')
	_, err := call(unix.SYS_IOCTL, 0, request, uintptr(unsafe.Pointer(&character)))
	return err
}
