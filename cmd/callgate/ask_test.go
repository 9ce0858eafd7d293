package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// terminal is a pseudoterminal that a test types at.
type terminal struct {
	t              *testing.T
	master, device *os.File
	seen           bytes.Buffer // and not looked at yet
	all            bytes.Buffer
}

func ioctl(t *testing.T, f *os.File, request uintptr, value unsafe.Pointer) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err == nil { // os.File.Fd would end deadlines
		err = conn.Control(func(fd uintptr) {
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(value)); errno != 0 {
				t.Skipf("no pseudoterminal: %v", errno)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudoterminal: %v", err)
	}
	var number, unlocked int32
	ioctl(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	device, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudoterminal: %v", err)
	}
	t.Cleanup(func() { master.Close(); device.Close() })
	return &terminal{t: t, master: master, device: device}
}

// mode is how the terminal treats what is typed.
func (x *terminal) mode() (mode syscall.Termios) {
	ioctl(x.t, x.device, syscall.TCGETS, unsafe.Pointer(&mode))
	return mode
}

// start runs callgate in a session of its own with this terminal.
func (x *terminal) start(dir string, all bool, args ...string) *exec.Cmd {
	x.t.Helper()
	cmd := exec.Command("callgate", append([]string{"run"}, args...)...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.device, x.device, x.device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if !all {
		cmd.Stdout, cmd.Stderr = nil, nil
	}
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	return cmd
}

// see waits until a text appears after what was seen before.
func (x *terminal) see(text string) {
	x.t.Helper()
	x.master.SetReadDeadline(time.Now().Add(20 * time.Second)) // rather than the whole test
	part := make([]byte, 4096)
	for !bytes.Contains(x.seen.Bytes(), []byte(text)) {
		n, err := x.master.Read(part)
		x.seen.Write(part[:n])
		x.all.Write(part[:n])
		if err != nil {
			x.t.Fatalf("%v before %q: %s", err, text, x.seen.String())
		}
	}
	i := bytes.Index(x.seen.Bytes(), []byte(text))
	x.seen.Next(i + len(text))
}

// end returns all that was written.
func (x *terminal) end() string {
	x.device.Close()
	x.master.SetReadDeadline(time.Now().Add(20 * time.Second))
	io.Copy(&x.all, x.master) // to EIO, when nobody has it open
	return x.all.String()
}

func (x *terminal) enter(text string) { x.master.WriteString(text) }

// exitCode waits for the end.
func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

const prompt = "[?] what is allowed then: "

// asks returns a program of calls that the preset refuses and the kernel allows
// everybody: unshare(0) takes nothing apart.
func asks(t *testing.T, calls int) []string {
	t.Helper()
	needs(t, "mount namespaces", "seccomp notification")
	program, err := exec.LookPath("call")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Repeat(program+" unshare 0; ", calls) + "exit 3"
	return []string{"--ro", program, "--", "sh", "-c", script}
}

// The questions stand on the terminal, and each answer does what it says.
func TestAskOnTerminal(t *testing.T) {
	dir := t.TempDir()
	saved := filepath.Join(t.TempDir(), "saved.yaml")
	for _, c := range []struct {
		name  string
		all   bool // streams are the terminal
		typed []string
		done  int // calls that were
		code  int
	}{
		{"once", true, []string{"o\r", "n\r"}, 1, 3},
		{"always", true, []string{"a\r"}, 2, 3},
		{"corrected", true, []string{"ax\x7f\x7fn\r"}, 0, 3},
		{"quit", true, []string{"q\r"}, 0, 128 + int(syscall.SIGTERM)},
		{"interrupted", true, []string{"\x03"}, 0, 128 + int(syscall.SIGINT)},
		{"once, without output", false, []string{"o\n", "n\n"}, 0, 3},
		{"always, without output", false, []string{"?\n", "always\n"}, 0, 3},
		{"quit, without output", false, []string{"q\n"}, 0, 128 + int(syscall.SIGTERM)},
		{"interrupted, without output", false, []string{"\x03"}, 0, 128 + int(syscall.SIGINT)},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTerminal(t)
			before := x.mode()
			os.Remove(saved)
			cmd := x.start(dir, c.all, append([]string{"--ask", "--save", saved}, asks(t, 2)...)...)
			for i, typed := range c.typed {
				if i == 0 || c.typed[i-1] != "?\n" {
					x.see(`"call" (`)
					x.see("asks for unshare(0), refused with EPERM: no rule allows unshare (preset default:8)")
				}
				x.see(prompt)
				x.enter(typed)
			}
			if code := exitCode(t, cmd); code != c.code {
				t.Errorf("exit code %d; want %d: %s", code, c.code, x.seen.String())
			}
			if after := x.mode(); after != before {
				t.Errorf("the terminal's mode is %+v; want %+v", after, before)
			}
			if said := x.end(); strings.Count(said, "unshare: done") != c.done {
				t.Errorf("%s\nwant %d calls done", said, c.done)
			}
			text, _ := os.ReadFile(saved)
			if always := strings.Contains(c.name, "always"); always != strings.Contains(string(text), "- {then: allow, calls: [unshare], when: [{arg: unshare_flags, equals: 0}]}") {
				t.Errorf("saved: %s", text)
			}
		})
	}
}

// What was saved is a policy: nothing is asked with it.
func TestAskSaves(t *testing.T) {
	folder, dir := t.TempDir(), t.TempDir()
	mine := filepath.Join(folder, "mine.yaml")
	if err := os.WriteFile(mine, []byte("# kept\nextends: [default]\nsyscalls: # kept, too\n  rules:\n  - {then: EPERM, calls: [keyctl]} # and this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newTerminal(t)
	cmd := x.start(dir, true, append([]string{"--ask", "--policy", mine}, asks(t, 2)...)...)
	x.see("[a]lways (saved to " + mine + ")")
	x.enter("a\r")
	exitCode(t, cmd)
	x.see("unshare: done")
	x.see("unshare: done")
	text, err := os.ReadFile(mine)
	want := "# kept\nextends: [default]\nsyscalls: # kept, too\n  rules:\n  # allowed when asked\n  - {then: allow, calls: [unshare], when: [{arg: unshare_flags, equals: 0}]}\n  - {then: EPERM, calls: [keyctl]} # and this\n"
	if err != nil || string(text) != want {
		t.Errorf("%v, the policy is\n%s; want\n%s", err, text, want)
	}
	cmd = x.start(dir, true, append([]string{"--ask", "--policy", mine}, asks(t, 1)...)...)
	x.see("unshare: done")
	if code := exitCode(t, cmd); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

// A question that nobody answers is answered by no, and its program goes on; one
// whose program is ended, too.
func TestAskUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		code  int
	}{
		"its own time-out": {[]string{"--ask-timeout", "50ms"}, 3},
		"the program's":    {[]string{"--timeout", "3s"}, 124}, // longer than it takes to ask
	} {
		x := newTerminal(t)
		before := x.mode()
		cmd := x.start(t.TempDir(), true, append(append([]string{"--ask"}, c.flags...), asks(t, 2)...)...)
		x.see(prompt)
		if code := exitCode(t, cmd); code != c.code {
			t.Errorf("%s: exit code %d; want %d", name, code, c.code)
		}
		if after := x.mode(); after != before {
			t.Errorf("%s: the terminal's mode is %+v; want %+v", name, after, before)
		}
	}
}
