// Suspect behaves like a package's install script that was not written by a
// friend: it looks for keys and tokens, calls home, multiplies, leaves things
// behind and asks the kernel for more than it should have. Then it does the
// work that it was run for. It prints a line for each thing it tried, and harms
// nothing.
//
// usage: suspect ADDRESS PID: a listener to call, and a process to attach to.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: suspect ADDRESS PID")
		os.Exit(2)
	}
	address, victim := os.Args[1], os.Args[2]
	home := os.Getenv("HOME")

	try("read ~/.ssh/id_ed25519", func() (string, error) { return read(filepath.Join(home, ".ssh", "id_ed25519")) })
	try("take a token from the environment", token)
	try("call home over TCP", func() (string, error) { return dial(address) })
	try("open a raw socket", rawSocket)
	try("run 100 processes at once", func() (string, error) { return multiply(100) })
	try("see other programs", processes)
	try("attach to one with ptrace", func() (string, error) { return attach(victim) })
	try("read a keyring of the kernel", keyring)
	try("mount a file system", mount)
	try("append to ~/.bashrc", func() (string, error) { return appendTo(filepath.Join(home, ".bashrc")) })
	try("write to /usr/local/bin", func() (string, error) { return create("/usr/local/bin/callgate-demo-was-here") })
	try("do the honest work", work)
}

// try runs one step and prints "name<tab>outcome".
func try(name string, step func() (string, error)) {
	outcome, err := step()
	if err != nil {
		outcome = "no: " + cause(err)
	}
	fmt.Printf("%s\t%s\n", name, outcome)
}

// cause is the innermost error's text.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func read(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("read %d bytes", len(data)), nil
}

func token() (string, error) {
	value, ok := os.LookupEnv("GITHUB_TOKEN")
	if !ok {
		return "", errors.New("not set")
	}
	return "took " + value[:7] + "…", nil
}

func dial(address string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err != nil {
		return "", err
	}
	conn.Close()
	return "connected", nil
}

func rawSocket() (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
	if err != nil {
		return "", err
	}
	syscall.Close(fd)
	return "opened", nil
}

// multiply starts n shells that wait for a line, and lets them all end.
func multiply(n int) (string, error) {
	started := 0
	var failed error
	for range n {
		shell := exec.Command("/bin/sh", "-c", "read line")
		input, err := shell.StdinPipe()
		if err != nil {
			return "", err
		}
		defer shell.Wait()
		defer input.Close()
		if failed = shell.Start(); failed != nil {
			break
		}
		started++
	}
	if failed != nil {
		return fmt.Sprintf("stopped after %d: %s", started, cause(failed)), nil
	}
	return fmt.Sprintf("ran %d", started), nil
}

func processes() (string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return "", err
	}
	self, others := os.Getpid(), 0
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && pid != self && pid != 1 {
			others++
		}
	}
	if others == 0 {
		return "", errors.New("none there")
	}
	return "saw some", nil
}

func attach(victim string) (string, error) {
	pid, err := strconv.Atoi(victim)
	if err != nil {
		return "", err
	}
	runtime.LockOSThread() // ptrace is a matter between two threads
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(pid); err != nil {
		return "", err
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		return "", err
	}
	return "attached", syscall.PtraceDetach(pid)
}

func keyring() (string, error) {
	const getKeyringID, userKeyring = 0, -4
	ring := userKeyring
	_, _, errno := syscall.Syscall(syscall.SYS_KEYCTL, getKeyringID, uintptr(ring), 1)
	if errno != 0 {
		return "", errno
	}
	return "found one", nil
}

func mount() (string, error) {
	if err := os.Mkdir("mnt", 0o700); err != nil {
		return "", err
	}
	defer os.Remove("mnt")
	if err := syscall.Mount("none", "mnt", "tmpfs", 0, ""); err != nil {
		return "", err
	}
	return "mounted", syscall.Unmount("mnt", 0)
}

func appendTo(name string) (string, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer file.Close()
	_, err = file.WriteString("echo owned\n")
	return "written", err
}

func create(name string) (string, error) {
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		return "", err
	}
	return "written", os.Remove(name)
}

// work is what the program was run for: count the words of a file.
func work() (string, error) {
	text, err := os.ReadFile("words.txt")
	if err != nil {
		return "", err
	}
	count := fmt.Sprintf("%d words", len(strings.Fields(string(text))))
	return count, os.WriteFile("count.txt", []byte(count+"\n"), 0o644)
}
