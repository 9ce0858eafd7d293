package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// build compiles a program of this module without cgo and returns its path.
func build(folder, name, pkg string) (string, error) {
	file := filepath.Join(folder, name)
	cmd := exec.Command("go", "build", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return file, nil
}

// programs is the folder of what is compiled once for all tests; TestMain makes
// and removes it.
var programs string

var buildCallgate = sync.OnceValues(func() (string, error) {
	return build(programs, "callgate", "../../cmd/callgate")
})

// room is a folder as mail.yaml asks for: the server, its spool, the policy.
func room(t *testing.T) (callgate, folder string) {
	t.Helper()
	callgate, err := buildCallgate()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	if _, err := build(folder, "mail", "."); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile("mail.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"mail.yaml": policy, secretFile: nil} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return callgate, folder
}

func TestPolicyPassesItsOwnTests(t *testing.T) {
	callgate, folder := room(t)
	cmd := exec.Command(callgate, "policy", "test", "mail.yaml")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("callgate policy test mail.yaml: %v\n%s", err, out)
	}
}

func TestMailArrivesBehindThePolicy(t *testing.T) {
	alone(t)
	landlockPorts(t)
	callgate, folder := room(t)
	cmd := exec.Command(callgate, "run", "--policy", "mail.yaml", "--", "./mail")
	cmd.Dir = folder
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })

	waitForPort(t, "127.0.0.1:25", ended, &said)
	if got := send(t, "127.0.0.1:25", `Subject: confined\r\n\r\nhello\r\n.\r\n`); !strings.HasPrefix(got, "250 kept as ") {
		t.Errorf("DATA answered %q; want 250", got)
	}
	if kept := messages(t, filepath.Join(folder, "spool")); len(kept) != 1 || !strings.Contains(kept[0], "Subject: confined") {
		t.Errorf("messages kept: %q; want the one sent", kept)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("after SIGTERM: %v; want a clean end\n%s", err, said.String())
	}
}

// waitForPort waits until something listens, and fails when the server ends
// first or takes a minute.
func waitForPort(t *testing.T, address string, ended <-chan error, said *bytes.Buffer) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v\n%s", err, said)
		default:
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("nothing listens on %s", address)
}

// TestAttacks plays each attack from the server's place, bare and behind the
// policy: what works bare must be refused there.
func TestAttacks(t *testing.T) {
	alone(t)
	landlockPorts(t)
	callgate, folder := room(t)
	// The attacker has the server's place: its name, its folder, its policy.
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "mail"), self, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", targetPort))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	play := func(t *testing.T, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = folder
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
		}
		return strings.TrimSpace(string(out))
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			switch got := play(t, "./mail", "attack", a.name); got {
			case "worked":
			case "EPROTONOSUPPORT", "ENOPROTOOPT":
				t.Skipf("kernel lacks: what this attack needs: %s", got)
			default:
				t.Errorf("bare: %s; want it to work, or this test shows nothing", got)
			}
			// With the capabilities that some attacks need, so that it isn't
			// their lack alone that refuses.
			got := play(t, callgate, "run", "--policy", "mail.yaml", "--cap-add", "CAP_NET_RAW", "--cap-add", "CAP_NET_ADMIN",
				"--", "./mail", "attack", a.name)
			if got != a.refused {
				t.Errorf("behind the policy: %s; want %s", got, a.refused)
			}
		})
	}
	for _, a := range harmless {
		t.Run(a.name, func(t *testing.T) {
			got := play(t, callgate, "run", "--policy", "mail.yaml", "--", "./mail", "attack", a.name)
			if got != "worked" {
				t.Errorf("behind the policy: %s; want it to work", got)
			}
		})
	}
}
