package sys

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SocketMaker has init make sockets in its network namespace, which the caller
// may not be able to enter. It may be used by several goroutines.
type SocketMaker struct {
	mutex        sync.Mutex
	ours, theirs *os.File
	number       int // theirs, which init knows by it
}

// NewSocketMaker must come before the child that is to serve it: its script has a
// step for it ([Script.MakeSockets]), and it goes on while the target runs.
func NewSocketMaker() (*SocketMaker, error) {
	ours, theirs, err := SocketPair()
	if err != nil {
		return nil, err
	}
	return &SocketMaker{ours: ours, theirs: theirs, number: int(theirs.Fd())}, nil
}

// Theirs is init's end, to be kept open for it.
func (m *SocketMaker) Theirs() int { return m.number }

// Started closes the caller's copy of init's end, so that the end of init is seen.
func (m *SocketMaker) Started() { m.theirs.Close() }

// Close leaves init without requests.
func (m *SocketMaker) Close() {
	m.theirs.Close()
	m.ours.Close()
}

// Socket returns a new socket, nonblocking (socket(2)). The errors are the
// kernel's, and EPIPE when init is gone.
func (m *SocketMaker) Socket(family, kind, protocol int) (*os.File, error) {
	fd, err := m.ask(socketRequest{int32(family), int32(kind | unix.SOCK_NONBLOCK), int32(protocol)})
	if err != nil {
		return nil, fmt.Errorf("make a socket in the program's network: %w", err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// NewNetwork moves init, while it is at its step, to a network namespace of its
// own. The old one lives as long as a socket in it.
func (m *SocketMaker) NewNetwork() error {
	_, err := m.ask(socketRequest{family: requestNetwork})
	return os.NewSyscallError("unshare network namespace", err)
}

// GoOn ends init's step.
func (m *SocketMaker) GoOn() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.send(socketRequest{family: requestGoOn})
}

func (m *SocketMaker) send(r socketRequest) error {
	bytes := (*[unsafe.Sizeof(r)]byte)(unsafe.Pointer(&r))
	return os.NewSyscallError("sendto", unix.Sendto(int(m.ours.Fd()), bytes[:], unix.MSG_NOSIGNAL, nil))
}

// ask sends a request and waits for the descriptor, or for the error.
func (m *SocketMaker) ask(r socketRequest) (fd int, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := m.send(r); err != nil {
		return -1, err
	}
	var reply [4]byte
	control := make([]byte, unix.CmsgSpace(4))
	n, size := 0, 0
	for err = unix.EINTR; err == unix.EINTR; {
		n, size, _, _, err = unix.Recvmsg(int(m.ours.Fd()), reply[:], control, unix.MSG_CMSG_CLOEXEC)
	}
	switch errno := *(*int32)(unsafe.Pointer(&reply)); {
	case err != nil:
		return -1, err
	case n != len(reply):
		return -1, unix.EPIPE
	case errno != 0:
		return -1, unix.Errno(errno)
	case size == 0:
		return -1, nil
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil || len(messages) != 1 {
		return -1, unix.EPROTO
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1, unix.EPROTO
	}
	return fds[0], nil
}

// MakeSockets has init make sockets for the SocketMaker that it was started with
// until that says to go on.
func (s *Script) MakeSockets() {
	s.add(Step{Op: OpMakeSockets, Verb: "wait for the network", Wall: s.wall})
}
