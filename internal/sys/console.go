package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// control runs f on a file's descriptor, and leaves Go's poller what it was;
// os.File.Fd would not.
func control(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	failed := conn.Control(func(fd uintptr) { err = f(int(fd)) })
	if failed != nil {
		return failed
	}
	return err
}

// InForeground reports whether a terminal's keys are for this process's group
// (tcgetpgrp(3)): reading them would stop any other.
func InForeground(terminal *os.File) bool {
	group := -1
	err := control(terminal, func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return err == nil && group == unix.Getpgrp()
}

// Readable reports whether something can be read now.
func Readable(file *os.File) bool {
	fds := []unix.PollFd{{Events: unix.POLLIN}}
	err := control(file, func(fd int) error {
		fds[0].Fd = int32(fd)
		_, err := unix.Poll(fds, 0)
		return err
	})
	return err == nil && fds[0].Revents&unix.POLLIN != 0
}

// MakeCooked has a terminal edit lines, echo them, and make signals of Ctrl-C, and
// drops what was typed before. It returns what restores the old mode.
func MakeCooked(terminal *os.File) (restore func() error, err error) {
	var old unix.Termios
	err = control(terminal, func(fd int) error {
		found, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return os.NewSyscallError("ioctl TCGETS", err)
		}
		old = *found
		cooked := old
		cooked.Iflag |= unix.ICRNL | unix.BRKINT
		cooked.Oflag |= unix.OPOST | unix.ONLCR
		cooked.Lflag |= unix.ICANON | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ISIG
		return os.NewSyscallError("ioctl TCSETSF", unix.IoctlSetTermios(fd, unix.TCSETSF, &cooked))
	})
	return func() error {
		return control(terminal, func(fd int) error {
			return os.NewSyscallError("ioctl TCSETSF", unix.IoctlSetTermios(fd, unix.TCSETSF, &old))
		})
	}, err
}

// DropInput forgets what was typed and not read yet (tcflush(3)).
func DropInput(terminal *os.File) error {
	return control(terminal, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) })
}

// Redraw has a program that draws the whole screen of a new terminal do so anew,
// by a size that changes and changes back; one that reads lines is left alone.
func Redraw(master *os.File) {
	_ = control(master, func(fd int) error {
		mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil || mode.Lflag&unix.ICANON != 0 {
			return err
		}
		size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
		if err != nil || size.Row < 2 {
			return err
		}
		size.Row--
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size); err != nil {
			return err
		}
		size.Row++
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size)
	})
}
