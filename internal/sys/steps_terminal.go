package sys

import "golang.org/x/sys/unix"

// Terminal makes a new pseudoterminal the controlling terminal and the standard
// streams, and sends its other side through the socket. The process must lead a
// session; the terminal comes from the /dev it sees, so that programs find its
// name there.
func (s *Script) Terminal(socket int) {
	master, slave := s.Reg(), s.Reg()
	s.Call("open", "/dev/ptmx", unix.SYS_OPENAT, Here, "/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC).Into(master)
	s.Call("unlock terminal", "", unix.SYS_IOCTL, master, unix.TIOCSPTLCK, PointerTo(new(int32)))
	s.Call("open terminal", "", unix.SYS_IOCTL, master, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC).Into(slave)
	s.send(socket, master, "hand over terminal")
	s.Close(master)
	s.Call("take terminal", "", unix.SYS_IOCTL, slave, unix.TIOCSCTTY, 0)
	for fd := range 3 {
		s.Duplicate(slave, fd)
	}
}
