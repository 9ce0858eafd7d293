package jail

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/attack"
)

// openTerminal returns both sides of a new pseudoterminal: the user's and the
// program's.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours = os.NewFile(uintptr(fd), "/dev/ptmx") // not blocking: closing it ends a read
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// insideTerminal marks the test binary started anew in a session whose
// controlling terminal is its standard input.
const insideTerminal = "CALLGATE_TEST_INSIDE_TERMINAL"

// TestTerminalOfTheCaller attacks the terminal that the jail was started from,
// and that the target has as its standard input.
func TestTerminalOfTheCaller(t *testing.T) {
	if os.Getenv(insideTerminal) != "" {
		attackTerminal(t)
		return
	}
	_, theirs := openTerminal(t)
	command := exec.Command(testBinary(t), "-test.run=^TestTerminalOfTheCaller$", "-test.v")
	command.Env = append(os.Environ(), insideTerminal+"=1")
	command.Stdin = theirs
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	text, err := command.CombinedOutput()
	switch {
	case strings.Contains(string(text), noTyping):
		t.Skip("kernel lacks: " + noTyping)
	case err != nil || !strings.Contains(string(text), "PASS: TestTerminalOfTheCaller"):
		t.Errorf("inside a terminal: %v\n%s", err, text)
	}
}

const noTyping = "TIOCSTI: dev.tty.legacy_tiocsti is 0"

func attackTerminal(t *testing.T) {
	s := newScene(t)
	try := func(name string, walls []Wall) string {
		spec := s.spec(t)
		spec.Stdin = os.Stdin
		return behind(t, s, spec, walls, testBinary(t), "attack", name, "")
	}
	for _, c := range []struct {
		attack, works string
		stops         [][]Wall // each, in a session of the target's own
	}{
		{"type", "done", each(Filter, Capabilities)}, // without powers, the session stops it
		{"type with high bits", "done", each(Filter)},
		{"paste", "ENOTTY", each(Filter)}, // a pseudoterminal has nothing to paste
		{"open the terminal", "done", [][]Wall{nil}},
		{"take the terminal", "EPERM", each(Capabilities)}, // it leads no session
	} {
		command := exec.Command(testBinary(t), "attack", c.attack, "")
		command.Stdin = os.Stdin
		text, err := command.Output()
		got := strings.TrimSpace(string(text))
		switch {
		case got == "EIO" && strings.HasPrefix(c.attack, "type"):
			fmt.Println(noTyping)
			continue
		case err != nil || got != c.works:
			t.Errorf("%s, bare: %q, %v; want %s", c.attack, got, err, c.works)
		}
		if s.host.privileged && c.attack == "type" {
			if got := try(c.attack, nil); got != attack.Done {
				t.Errorf("%s, with root's powers: %s; want done", c.attack, got)
			}
		}
		for _, walls := range append(c.stops, s.allWalls(), s.fallbackWalls()) {
			if err := refusal(try(c.attack, walls), attack.Done); err != nil {
				t.Errorf("%s, behind %v: %v", c.attack, walls, err)
			}
		}
	}
}

// A real console takes requests that a pseudoterminal does not know, such as to
// paste. Asking for the keys that are held harms nobody.
func TestConsole(t *testing.T) {
	console, err := os.OpenFile("/dev/tty0", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("kernel lacks: a virtual console: %v", err)
	}
	defer console.Close()
	s := newScene(t)
	try := func(walls []Wall) string {
		spec := s.spec(t)
		spec.Stdin = console
		return behind(t, s, spec, walls, testBinary(t), "attack", "ask the console for keys held", "")
	}
	if got := try(nil); got != attack.Done {
		t.Skipf("kernel lacks: a virtual console: %s", got)
	}
	for _, walls := range [][]Wall{{Filter}, s.allWalls(), s.fallbackWalls()} {
		if err := refusal(try(walls), attack.Done); err != nil {
			t.Errorf("behind %v: %v", walls, err)
		}
	}
}

// A target that asks for a terminal has one of its own: it knows its name, is
// sent its signals, and its size is that of the caller's.
func TestOwnTerminal(t *testing.T) {
	needsNamespaces(t)
	ours, theirs := openTerminal(t)
	if err := unix.IoctlSetWinsize(int(theirs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 99}); err != nil {
		t.Fatal(err)
	}
	before, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t)
	spec := s.spec(t)
	spec.Args = []string{"/bin/sh", "-c", `tty; until [ "$(stty size)" = "33 99" ]; do :; done; stty size; echo to the terminal >/dev/tty; echo ready; cat; exit 3`}
	spec.Stdin, spec.Stdout, spec.Stderr = theirs, theirs, theirs
	spec.Terminal = true

	type end struct {
		result Result
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		runtime.LockOSThread() // init dies with this thread
		result, err := Run(spec, nil)
		ended <- end{result, err}
		if err != nil {
			ours.Close() // nobody will write
		}
		runtime.UnlockOSThread()
	}()
	output := bufio.NewScanner(ours)
	expect := func(lines ...string) {
		t.Helper()
		for _, want := range lines {
			if !output.Scan() || strings.TrimSpace(output.Text()) != want {
				t.Fatalf("line %q, %v; want %q; Run ended with %v", output.Text(), output.Err(), want, (<-ended).err)
			}
		}
	}
	expect("/dev/pts/0", "33 99", "to the terminal", "ready")
	// Once as the terminal's echo and once from cat: a shell that is interrupted
	// before cat is there to be interrupted too waits for it.
	if _, err := ours.WriteString("ping\n"); err != nil {
		t.Fatal(err)
	}
	expect("ping", "ping")
	if _, err := ours.WriteString("\x03"); err != nil { // control-C, which the caller's terminal passes on
		t.Fatal(err)
	}
	e := <-ended
	if e.err != nil || !e.result.Status.Signaled() || e.result.Status.Signal() != syscall.SIGINT {
		t.Errorf("Run = %v (%#x), %v; want the end by SIGINT", e.result, e.result.Status, e.err)
	}
	after, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("the caller's terminal was left changed: %+v; want %+v", *after, *before)
	}
}
