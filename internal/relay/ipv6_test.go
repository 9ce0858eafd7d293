package relay_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/attack"
	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/internal/sys"
)

// inScene, in the environment, says that the test is in a network of its own.
const inScene = "CALLGATE_TEST_SCENE"

// TestIPv6 holds that a program reaches what is listed of IPv6, and nothing else, and
// that it fails as it does outside. It makes a network with addresses of IPv6 first:
// not every machine has any.
func TestIPv6(t *testing.T) {
	if err := errors.Join(probe.MountNamespaces.Check(), probe.LinkPairs.Check()); err != nil {
		t.Skipf("kernel lacks: %v", err)
	}
	if os.Getenv(inScene) == "" {
		playScene(t)
		return
	}
	setScene(t)
	allowed := serve(t, netip.MustParseAddr("2001:db8::1"), "welcome")
	forbidden := serve(t, netip.MustParseAddr("2001:db8::2"), attack.Secret)
	near := serve(t, netip.MustParseAddr("2001:db8:1::7"), "welcome")
	at := allowed.String()
	closed, err := net.Listen("tcp", "[2001:db8::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	nobodysPort := nobody[strings.LastIndexByte(nobody, ':')+1:]
	rules := []string{at, "udp/" + at, nobody, "[2001:db8:1::/48]:" + port(near), "[3fff::1]:" + port(allowed)}
	for _, c := range []struct{ what, role, address, want string }{
		{"an address", "ask", at, "welcome no error"},
		{"datagrams", "datagram", at, "welcome no error"},
		{"nobody listens", "ask", nobody, "ECONNREFUSED"},
		{"not listed", "ask", forbidden.String(), "ENETUNREACH"},
		{"another port", "ask", "[2001:db8::1]:1", "ECONNREFUSED"},
		{"in a network that is listed", "ask", near.String(), "welcome no error"},
		{"another port there", "ask", "[2001:db8:1::7]:" + nobodysPort, "ECONNREFUSED"},
		{"no way there from outside", "ask", "[3fff::1]:" + port(allowed), "EHOSTUNREACH"},
		{"the machine's loopback", "ask", "[::1]:" + port(allowed), "ECONNREFUSED"},
		{"the relay itself", "ask", "[fdca:11:6a7e::1]:" + port(allowed), "ECONNREFUSED"},
		{"a name's address that stands for none", "ask", "[fdca:11:6a7e:1::9]:" + port(allowed), "ECONNREFUSED"},
	} {
		if got := strings.TrimSpace(inside(t, "relay", rules, "client", c.role, c.address)); got != c.want {
			t.Errorf("%s (%s): %q; want %q", c.what, c.address, got, c.want)
		}
	}
	open := []string{port(forbidden)} // of every address, in the machine's own network
	if got := inside(t, "host", open, "client", "ask", forbidden.String()); !strings.HasPrefix(got, attack.Secret) {
		t.Errorf("without the wall: %q; want %q", got, attack.Secret)
	}
}

// playScene runs the test once more, in a network namespace of its own.
func playScene(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inScene+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		// A jail of another test has closed this process's memory, and so the maps of
		// users of what it starts (proc_pid_uid_map(5)).
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	output, err := cmd.CombinedOutput()
	if skipped := strings.Contains(string(output), "--- SKIP"); skipped || err != nil {
		report := t.Errorf
		if skipped {
			report = t.Skipf
		}
		report("%v: %s", err, output)
	}
}

// setScene gives the loopback of this network addresses of IPv6.
func setScene(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(sys.NetlinkSocket[0], sys.NetlinkSocket[1], sys.NetlinkSocket[2])
	if err != nil {
		t.Fatal(err)
	}
	link := sys.NewNetlink(os.NewFile(uintptr(fd), "netlink"))
	defer link.Close()
	if err := link.LinkUp(sys.Loopback); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"2001:db8::1/128", "2001:db8::2/128", "2001:db8:1::7/128"} {
		err := link.Address(sys.Loopback, netip.MustParsePrefix(address))
		if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Skipf("kernel lacks: IPv6: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
