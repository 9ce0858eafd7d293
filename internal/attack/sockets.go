package attack

import (
	"net"

	"golang.org/x/sys/unix"
)

func sockets() []Attack {
	return []Attack{
		{"connect", func(aim string) error { return connect("tcp", aim) }},
		{"send a datagram", datagram},
		{"connect to a socket file", func(aim string) error { return connect("unix", aim) }},
		{"connect to an abstract socket", func(aim string) error { return connect("unix", "@"+aim) }},
		{"receive a folder", receiveFolder},
		{"write to an inherited socket", inheritedSocket},
		{"receive a passed descriptor", receivePassed},
		{"pass a file on", passOn},
		{"raw socket", func(string) error { return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) }},
		{"packet socket", func(string) error { return socket(unix.AF_PACKET, unix.SOCK_RAW, 0) }},
		{"kernel events socket", func(string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT) }},
		{"audit socket", func(string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT) }},
		{"virtual machine socket", func(string) error { return socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0) }},
		{"socket family with high bits", func(string) error {
			fd, err := call(unix.SYS_SOCKET, 1<<32|unix.AF_VSOCK, unix.SOCK_STREAM, 0)
			if err == nil {
				unix.Close(int(fd))
			}
			return err
		}},
	}
}

func socket(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func connect(network, aim string) error {
	connection, err := net.Dial(network, aim)
	if err != nil {
		return err
	}
	return connection.Close()
}

// datagram sends to a UDP port; a port without reader answers the second time.
func datagram(aim string) error {
	connection, err := net.Dial("udp", aim)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("1")); err != nil {
		return err
	}
	_, err = connection.Read(make([]byte, 1))
	return err
}

// receiveFolder takes a folder's descriptor from an accomplice that listens on
// an abstract socket, and opens a file in it: aim is "socket|file".
func receiveFolder(aim string) error {
	name, file := split(aim)
	connection, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: "@" + name, Net: "unix"})
	if err != nil {
		return err
	}
	defer connection.Close()
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := connection.ReadMsgUnix(make([]byte, 1), control)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		return err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	fd, err := unix.Openat(fds[0], file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return readAndClose(fd)
}

// inheritedSocket writes to every socket this process was born with.
func inheritedSocket(string) error {
	for fd := 3; fd < 256; fd++ {
		if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
			continue
		}
		if _, err := unix.Write(fd, []byte("stolen")); err == nil {
			return nil
		}
	}
	return ErrNotFound
}

// receivePassed takes a descriptor from whoever holds the other end of a socket
// that this process was born with, and reads it, or the file in it that aim names.
func receivePassed(aim string) error {
	fds, err := receiveFrom(inheritedSocketFD())
	if err != nil {
		return err
	}
	if aim == "" {
		return readAndClose(fds[0])
	}
	fd, err := unix.Openat(fds[0], aim, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return readAndClose(fd)
}

// passOn hands a file to whoever holds the other end of such a socket.
func passOn(aim string) error {
	fd, err := unix.Open(aim, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	if _, err := unix.Write(fd, []byte("passed on")); err != nil {
		return err
	}
	return unix.Sendmsg(inheritedSocketFD(), []byte{0}, unix.UnixRights(fd), nil, 0)
}

// inheritedSocketFD returns the first socket this process was born with, or -1.
func inheritedSocketFD() int {
	for fd := 3; fd < 256; fd++ {
		if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil {
			return fd
		}
	}
	return -1
}

func receiveFrom(socket int) ([]int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, 0)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return nil, ErrNotFound
	}
	return unix.ParseUnixRights(&messages[0])
}
