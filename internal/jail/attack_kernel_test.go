package jail

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/attack"
	"github.com/callgate/callgate/internal/probe"
)

func needsNamespaces(t *testing.T) { needs(t, probe.MountNamespaces) }

func needs(t *testing.T, f *probe.Feature) {
	t.Helper()
	if err := f.Check(); err != nil {
		t.Skipf("kernel lacks: %v", err)
	}
}

// userWall is what stops new user namespaces besides the filter: only an
// ordinary user's target has a user namespace, which bears no other.
func userWall() [][]Wall {
	if os.Geteuid() != 0 {
		return each(Filter, User)
	}
	return each(Filter)
}

func needsUserNamespaces(t *testing.T) { needs(t, probe.UserNamespaces) }

var namespaceTrials = []trial{
	{attack: "unshare a user namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "unshare a mount namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "unshare a pid namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "unshare a network namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone a user namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone a mount namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone a pid namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone a network namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone with high bits", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone3 a user namespace", needs: needsUserNamespaces, stops: userWall()},
	{attack: "clone3 into time", needs: needsUserNamespaces, stops: userWall()},
	{attack: "enter a namespace", needs: needsUserNamespaces, from: []Wall{Hostname}, stops: each(Capabilities, Filter)},
}

func mountPoint(_ *testing.T, s *scene) string { return s.work }

var mountTrials = []trial{
	{attack: "mount a file system", aim: mountPoint, needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter, Landlock)},
	{attack: "bind a folder", aim: mountPoint, needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter, Landlock)},
	{attack: "clone a mount", aim: mountPoint, needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter, Landlock)},
	{attack: "open a file system", needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter)},
	{attack: "set mount attributes", aim: aimAt("/"), needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter)},
	{attack: "pivot the root", aim: mountPoint, needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter, Landlock)},
	{
		attack: "remount writable", aim: func(_ *testing.T, s *scene) string { return filepath.Dir(s.readable) }, needs: needsRoot("to take back what mounts of the same namespace lock"),
		from: []Wall{Mounts}, stops: each(Capabilities, Filter, Landlock),
	},
	{attack: "take a cover off", aim: hidden, withheld: true, needs: needsNamespaces, from: []Wall{Mounts}, stops: each(Capabilities, Filter, Landlock)},
}

var socketTrials = []trial{
	{attack: "connect", aim: listening("tcp", "127.0.0.1:0"), stops: each(Network), open: "callgate run has the filter refuse internet sockets there, see its own tests"},
	{attack: "send a datagram", aim: answering, stops: each(Network), open: "callgate run has the filter refuse internet sockets there, see its own tests"},
	{attack: "connect to an abstract socket", aim: abstract, landlock: 6, stops: each(Network, Landlock)},
	{attack: "connect to a socket file", aim: socketFile, stops: each(Mounts), open: "Landlock knows socket files only from ABI 9 on"},
	{attack: "receive a folder", aim: accomplice, stops: each(Network, Landlock)},
	{attack: "raw socket", needs: needsRoot("to open one"), stops: each(Capabilities)},
	{attack: "packet socket", needs: needsRoot("to open one"), stops: each(Capabilities, Filter)},
	{attack: "kernel events socket", stops: each(Filter)},
	{attack: "audit socket", stops: each(Filter)},
	{attack: "socket family with high bits", stops: each(Filter)},
	{attack: "virtual machine socket", stops: each(Filter)},
}

// listening returns the address of a listener outside the jail.
func listening(network, address string) func(*testing.T, *scene) string {
	return func(t *testing.T, _ *scene) string {
		t.Helper()
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr().String()
	}
}

// answering returns the address of a UDP port outside that answers.
func answering(t *testing.T, _ *scene) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1)
		if _, from, err := c.ReadFrom(b); err == nil {
			c.WriteTo(b, from)
		}
	}()
	return c.LocalAddr().String()
}

// abstractName returns a name that no other listener has.
func abstractName() string {
	return fmt.Sprintf("callgate-test-%d-%d", os.Getpid(), names.Add(1))
}

var names atomic.Int32

func abstract(t *testing.T, s *scene) string {
	name := abstractName()
	listening("unix", "@"+name)(t, s)
	return name
}

func socketFile(t *testing.T, s *scene) string {
	path := filepath.Dir(s.outside) + "/s"
	os.Remove(path)
	return listening("unix", path)(t, s)
}

// accomplice sends a folder's descriptor to whoever connects.
func accomplice(t *testing.T, s *scene) string {
	t.Helper()
	name := abstractName()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: "@" + name, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Open(filepath.Dir(s.outside))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer folder.Close()
		c, err := l.AcceptUnix()
		if err != nil {
			return
		}
		c.WriteMsgUnix([]byte{0}, unix.UnixRights(int(folder.Fd())), nil)
		c.Close()
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return name + "|secret"
}

var kernelTrials = []trial{
	{attack: "load a bpf map", needs: needsRoot("where unprivileged bpf is disabled"), stops: each(Filter)},
	{attack: "count events", needs: needsRoot("where perf is restricted"), stops: each(Filter)},
	{attack: "handle page faults", stops: each(Filter)},
	{attack: "add a key", stops: each(Filter)},
	{attack: "read the kernel's log", needs: needsRoot("to read it"), stops: each(Filter, Capabilities)},
	{attack: "make all memory executable", stops: each(Filter)},
	{attack: "reboot", needs: needsRoot("to be let so far"), works: "EINVAL", stops: each(Capabilities, Filter)},
	{attack: "load a module", needs: needsRoot("to be let so far"), works: "EBADF", stops: each(Capabilities, Filter)},
	{attack: "set the host name", aim: aimAt("stolen"), needs: needsUserNamespaces, from: []Wall{Hostname}, stops: each(Capabilities, Filter)},
}

// A key of the caller's session is out of reach.
func TestKeysOfTheSession(t *testing.T) {
	runtime.LockOSThread() // the session is this thread's, which ends with the test
	if _, err := unix.KeyctlJoinSessionKeyring("callgate-test"); err != nil {
		t.Skipf("kernel lacks: keyrings: %v", err)
	}
	if _, err := unix.AddKey("user", "callgate-test", []byte("secret"), unix.KEY_SPEC_SESSION_KEYRING); err != nil {
		t.Fatal(err)
	}
	s := newScene(t)
	try := func(walls []Wall) string {
		return behind(t, s, s.spec(t), walls, testBinary(t), "attack", "read a key", "callgate-test")
	}
	if got := try(nil); got != attack.Done {
		t.Fatalf("without walls: %s; want done", got)
	}
	for name, walls := range map[string][]Wall{"filter": {Filter}, "all walls": s.allWalls(), "fallback": s.fallbackWalls()} {
		if err := refusal(try(walls), attack.Done); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Calls by another numbering are ended by the filter, whatever they are: its
// rules speak of native numbers only.
func TestForeignCalls(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("kernel lacks: int 0x80 on " + runtime.GOARCH)
	}
	needsUserNamespaces(t)
	for _, c := range []struct {
		name    string
		program []byte
	}{
		{"int 0x80", attack.Int80()},
		{"x32", attack.X32()},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			program := filepath.Join(s.work, "program")
			if err := os.WriteFile(program, c.program, 0o755); err != nil {
				t.Fatal(err)
			}
			lenient := s.spec(t)
			lenient.Filter = func(func(Wall) bool) (filter.Program, error) {
				compiled, err := s.policy.Filter(s.target)
				if err != nil {
					return nil, err
				}
				compiled.Filter.Foreign = filter.ActionAllow
				return compiled.Filter.Compile()
			}
			const killed = "killed by BAD SYSTEM CALL"
			for name, walls := range map[string][]Wall{"filter": {Filter}, "all walls": s.allWalls(), "fallback": s.fallbackWalls()} {
				if got := behind(t, s, s.spec(t), walls, program); got != killed {
					t.Errorf("%s: %s; want %s", name, got, killed)
				}
			}
			switch got := behind(t, s, lenient, []Wall{Filter}, program); got {
			case "done":
			case "ENOSYS", "killed by SEGMENTATION FAULT":
				t.Skipf("kernel lacks: %s calls", c.name)
			default:
				t.Errorf("with a filter that allows foreign calls: %s; want done", got)
			}
		})
	}
}
