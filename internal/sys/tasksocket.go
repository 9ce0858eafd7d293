package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Constants of sockets that package unix lacks, or has under another name
// (include/uapi/linux/un.h, pidfd.h).
const (
	socketFile   = 0x89e0        // SIOCUNIXFILE, Linux 4.11
	pidfdThread  = unix.O_EXCL   // PIDFD_THREAD, Linux 6.9
	UnixFamily   = unix.AF_UNIX  // of socket(2)
	InetFamily   = unix.AF_INET  // of socket(2)
	Inet6Family  = unix.AF_INET6 // of socket(2)
	tmpfsMagic   = unix.TMPFS_MAGIC
	pathInSocket = 2 // where sun_path begins in struct sockaddr_un
)

// TaskDescriptor returns a descriptor of the caller's for what another thread has
// open under a number (pidfd_getfd(2)). The process is the thread's, for kernels
// that know no descriptors of threads. The caller must be allowed to trace it, and
// ask afterwards whether the number was still that thread's.
func TaskDescriptor(thread, process, descriptor int) (int, error) {
	pidfd, err := unix.PidfdOpen(thread, pidfdThread)
	if err == unix.EINVAL {
		pidfd, err = unix.PidfdOpen(process, 0)
	}
	if err != nil {
		return -1, err
	}
	defer unix.Close(pidfd)
	return unix.PidfdGetfd(pidfd, descriptor, 0)
}

// SocketFamily returns a socket's family: ENOTSOCK where it is none.
func SocketFamily(fd int) (int, error) {
	return unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
}

// IsTCP reports whether Landlock takes a socket's connections for TCP's.
func IsTCP(fd int) bool {
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol == unix.IPPROTO_TCP
}

// Blocks reports whether calls on a descriptor wait (O_NONBLOCK of open(2)).
func Blocks(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err != nil || flags&unix.O_NONBLOCK == 0
}

// ConnectTo connects a socket to an address as a program wrote it: connect(2). A
// signal ends the wait with EINTR.
func ConnectTo(fd int, address []byte) error {
	var pointer unsafe.Pointer
	if len(address) > 0 {
		pointer = unsafe.Pointer(&address[0])
	}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(pointer), uintptr(len(address)))
	return errnoErr(errno)
}

// ConnectToFile connects a UNIX socket to the one that another descriptor leads to.
func ConnectToFile(fd, file int) error {
	path := selfFD(file)
	address := make([]byte, pathInSocket, pathInSocket+len(path)+1)
	native.PutUint16(address, UnixFamily)
	return ConnectTo(fd, append(append(address, path...), 0))
}

// SocketFile opens the file that a UNIX socket was bound to (O_PATH): ENOENT where
// there is none. It needs CAP_NET_ADMIN in the user namespace of the socket's network.
func SocketFile(fd int) (int, error) {
	file, err := unix.IoctlRetInt(fd, socketFile)
	if err == nil {
		unix.CloseOnExec(file)
	}
	return file, err
}

// IsTmpfs reports whether a descriptor's file lies in memory (tmpfs(5)).
func IsTmpfs(fd int) bool {
	var stat unix.Statfs_t
	return unix.Fstatfs(fd, &stat) == nil && int64(stat.Type) == tmpfsMagic
}

// DeviceNumbers are the two halves of a device's number (makedev(3)).
func DeviceNumbers(device uint64) (major, minor uint32) {
	return unix.Major(device), unix.Minor(device)
}
