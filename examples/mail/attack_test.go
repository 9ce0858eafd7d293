package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// attack is one thing that a subverted mail server would like to do.
type attack struct {
	name    string
	refused string // what it meets behind the policy
	try     func() error
}

const (
	targetPort = 2525     // a listener of the test, which the attacker would like to reach
	secretFile = "secret" // in the server's folder, and none of its business
)

var attacks = []attack{
	{"open a netlink socket", "EPERM", socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)},
	{"open a raw socket", "EPERM", socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
	{"open a packet socket", "EPERM", socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
	{"open a UNIX socket", "EPERM", socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)},
	{"open a datagram socket", "EPERM", socket(unix.AF_INET, unix.SOCK_DGRAM, 0)},
	{"read the interfaces by ioctl", "EPERM", interfaceIoctl(unix.SIOCGIFFLAGS)},
	{"read the hardware address by ioctl", "EPERM", interfaceIoctl(unix.SIOCGIFHWADDR)},
	{"take the interface down by ioctl", "EPERM", interfaceIoctl(unix.SIOCSIFFLAGS)},
	{"listen on another port", "EACCES", func() error { return onPort(unix.Bind, targetPort+1) }},
	{"connect to another server", "EACCES", func() error { return onPort(unix.Connect, targetPort) }},
	{"connect by multipath TCP", "EPERM", multipath},
	{"connect by sending at once", "EPERM", fastOpen},
	{"read a file beside the spool", "ENOENT", func() error { return touch(secretFile, unix.O_RDONLY) }},
	{"write to a file beside the spool", "ENOENT", func() error { return touch(secretFile, unix.O_WRONLY) }},
	{"start a shell", "EPERM", func() error { return exec.Command("/bin/sh", "-c", ":").Run() }},
	{"become a shell", "ENOENT", func() error { return unix.Exec("/bin/sh", []string{"sh", "-c", "echo worked"}, nil) }},
	{"enter a new user namespace", "EPERM", newUserNamespace},
}

// harmless is what the walls must leave alone, to show that they aren't shut.
var harmless = []attack{
	{"open a TCP socket", "", socket(unix.AF_INET, unix.SOCK_STREAM, 0)},
	{"ask a socket how much there is to read", "", readableIoctl},
}

// attackAndTell plays one attack, says on standard output what came of it, and
// returns 0 whatever that was.
func attackAndTell(name string) int {
	for _, a := range append(attacks, harmless...) {
		if a.name == name {
			fmt.Println(outcome(a.try()))
			return 0
		}
	}
	fmt.Fprintf(os.Stderr, "there is no attack %q\n", name)
	return 2
}

// outcome is "worked", or the errno's name.
func outcome(err error) string {
	if err == nil {
		return "worked"
	}
	for inner := err; inner != nil; {
		if errno, ok := inner.(syscall.Errno); ok {
			return unix.ErrnoName(errno)
		}
		wrapper, ok := inner.(interface{ Unwrap() error })
		if !ok {
			break
		}
		inner = wrapper.Unwrap()
	}
	return err.Error()
}

func socket(family, kind, protocol int) func() error {
	return func() error {
		fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
}

func interfaceIoctl(request uint) func() error {
	return func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("before the attack: %v", err)
		}
		defer unix.Close(fd)
		lo, err := unix.NewIfreq("lo")
		if err != nil {
			return err
		}
		lo.SetUint16(unix.IFF_UP) // as it is: the attack must not spoil the next
		return unix.IoctlIfreq(fd, request, lo)
	}
}

func readableIoctl() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
	return err
}

func onPort(call func(int, unix.Sockaddr) error, port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("before the attack: %v", err)
	}
	defer unix.Close(fd)
	return call(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

// multipath connects by a protocol that Landlock's rules for TCP don't see.
func multipath() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrInet4{Port: targetPort, Addr: [4]byte{127, 0, 0, 1}})
}

// fastOpen connects by sending, with no call of connect.
func fastOpen() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("before the attack: %v", err)
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Port: targetPort, Addr: [4]byte{127, 0, 0, 1}})
}

func touch(name string, flags int) error {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// newUserNamespace clones a child into a user namespace: unshare would refuse a
// program with several threads whatever the policy says.
func newUserNamespace() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", "attack", "open a TCP socket")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	return cmd.Run()
}
