package relay_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/attack"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/internal/relay"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// The test binary is also the program that attacks, and an honest one.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "attack" {
		attack.Main(os.Args[2], os.Args[3])
	}
	if len(os.Args) == 4 && os.Args[1] == "client" {
		client(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// open is a policy that leaves everything but the network to the program: no
// filter helps, and it may send raw packets and change routes.
const open = `
baseline: "6.12"
syscalls: {otherwise: allow}
files: {ro: [/], exec: [/, FOLDER], home: host, tmp: host, dev: host}
capabilities: [CAPABILITIES]
network: {mode: MODE, connect: [RULES]}
`

// TestNothingElseIsReached tries every way to a server of the machine: each works on
// the machine's network, and none where a relay leads elsewhere, though to the
// same port of another machine and to another port of the same.
func TestNothingElseIsReached(t *testing.T) {
	if err := errors.Join(probe.MountNamespaces.Check(), probe.LinkPairs.Check()); err != nil {
		t.Skipf("kernel lacks: %v", err)
	}
	forbidden := serve(t, machineAddress(t), attack.Secret)
	allowed := serve(t, netip.MustParseAddr("127.0.0.1"), "welcome")
	rules := []string{
		policy.HostName + ":" + port(allowed), "udp/" + policy.HostName + ":" + port(allowed),
		"10.255.255.1:" + port(forbidden), "udp/10.255.255.1:" + port(forbidden),
	}
	for _, a := range attack.All() {
		if !strings.HasPrefix(a.Name, "reach ") {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			aim, inside := forbidden.String(), forbidden.String()
			if a.Name == "reach by rewriting the address" {
				aim += "|" + allowed.String()
				inside += "|" + policy.HostName + ":" + port(allowed)
			}
			switch got := attempt(t, "host", nil, a.Name, aim); {
			case got == "ENOSYS" || got == "EAFNOSUPPORT":
				t.Skip("kernel lacks: a call to " + a.Name)
			case got == "EPERM" && os.Geteuid() != 0:
				// An ordinary user has no such power over the machine's network.
			case got != attack.Done:
				t.Fatalf("on the machine's network: %s", got)
			}
			if got := attempt(t, "relay", rules, a.Name, inside); got == attack.Done || !strings.HasPrefix(got, "E") && got != attack.ErrNotFound.Error() {
				t.Errorf("in a network of its own: %s; want an error", got)
			}
		})
	}
}

// machineAddress returns an address of the machine other than its loopback's, which
// the program has one of its own of.
func machineAddress(t *testing.T) netip.Addr {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() && !prefix.Addr().IsLoopback() {
			return prefix.Addr()
		}
	}
	t.Skip("kernel lacks: an address besides the loopback's")
	return netip.Addr{}
}

func port(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }

// serve answers every connection and datagram with a text.
func serve(t *testing.T, at netip.Addr, text string) netip.AddrPort {
	t.Helper()
	streams, err := net.Listen("tcp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := net.ListenPacket("udp", streams.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		streams.Close()
		datagrams.Close()
	})
	go func() {
		for {
			conn, err := streams.Accept()
			if err != nil {
				return
			}
			go func() {
				io.WriteString(conn, text)
				conn.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, conn) // what nobody has read when it is closed resets it
				conn.Close()
			}()
		}
	}()
	go func() {
		buffer := make([]byte, 100)
		for {
			_, from, err := datagrams.ReadFrom(buffer)
			if err != nil {
				return
			}
			datagrams.WriteTo([]byte(text), from)
		}
	}()
	return streams.Addr().(*net.TCPAddr).AddrPort()
}

// attempt runs one attack and returns its outcome.
func attempt(t *testing.T, mode string, rules []string, name, aim string) string {
	t.Helper()
	return inside(t, mode, rules, "attack", name, aim)
}

// inside runs the test binary behind the open policy and returns what it prints.
func inside(t testing.TB, mode string, rules []string, args ...string) string {
	t.Helper()
	for i, rule := range rules {
		rules[i] = strconv.Quote(strings.Trim(rule, `"`))
	}
	capabilities := "CAP_NET_RAW, CAP_NET_ADMIN"
	if mode == "host" {
		capabilities = "CAP_NET_RAW" // the machine's routes are not the test's
	}
	binary, err := os.Executable()
	if err == nil {
		binary, err = filepath.EvalSymlinks(binary)
	}
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("FOLDER", filepath.Dir(binary), "CAPABILITIES", capabilities, "MODE", mode, "RULES", strings.Join(rules, ", ")).Replace(open)
	if mode == "host" {
		text = strings.Replace(text, ", connect: []", "", 1)
	}
	p, err := document.Parse("open.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	spec := &jail.Spec{Args: append([]string{binary}, args...), Env: []string{"GORACE=atexit_sleep_ms=0"}, Stdout: write, Stderr: os.Stderr, Full: true}
	target := policy.Target{Arch: abi.Native(), Dir: "/", Home: "/"}
	jail.Outline(spec, p)
	if err := jail.Apply(spec, p, target); err != nil {
		t.Fatal(err)
	}
	spec.Filter = func(func(jail.Wall) bool) (filter.Program, error) {
		compiled, err := p.Filter(target)
		if err != nil {
			return nil, err
		}
		return compiled.Filter.Compile()
	}
	if mode == "relay" {
		r := relay.New(relay.Config{Rules: &p.Network, Address: jail.RelayAddress, Names: jail.NamedAddresses, Names6: jail.NamedAddresses6})
		spec.Relay = &jail.Relay{Routes: r.Routes(), Start: func(s jail.RelaySockets) (func(), error) { return r.Start(relay.Sockets(s)) }}
		spec.Relay.TCP, spec.Relay.UDP = r.Ports()
	}
	_, err = jail.Run(spec, nil)
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(said))
}
