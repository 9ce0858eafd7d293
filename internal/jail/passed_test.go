package jail

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/attack"
)

// socketPair returns an end for the target to keep, and the other.
func socketPair(t *testing.T) (theirs, ours int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// Whoever holds the other end of a socket that the target was given can pass
// descriptors in. A file's is a grant of that file; a folder's opens nothing in
// it, since Landlock judges the whole path.
func TestPassedDescriptors(t *testing.T) {
	for _, c := range []struct {
		name, opened, aim string
		walls             func(*scene) []Wall
		refused           bool
	}{
		{"a file", "secret", "", (*scene).allWalls, false},
		{"a file, without namespaces", "secret", "", (*scene).fallbackWalls, false},
		{"a folder, without Landlock", "", "secret", func(s *scene) []Wall { return s.with([]Wall{Filter}, Mounts, Pids) }, false},
		{"a folder", "", "secret", (*scene).allWalls, true},
		{"a folder, without namespaces", "", "secret", (*scene).fallbackWalls, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			needsNamespaces(t)
			s := newScene(t)
			opened, err := os.Open(filepath.Join(filepath.Dir(s.outside), c.opened))
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			theirs, ours := socketPair(t)
			if err := unix.Sendmsg(ours, []byte{0}, unix.UnixRights(int(opened.Fd())), nil, 0); err != nil {
				t.Fatal(err)
			}
			spec := s.spec(t)
			spec.Keep = []int{theirs}
			got := behind(t, s, spec, c.walls(s), testBinary(t), "attack", "receive a passed descriptor", c.aim)
			if err := refusal(got, attack.Done); c.refused && err != nil || !c.refused && got != attack.Done {
				t.Errorf("%s; want it refused: %v", got, c.refused)
			}
		})
	}
}

// The other way, the target passes out what it may open itself.
func TestPassingOut(t *testing.T) {
	s := newScene(t)
	theirs, ours := socketPair(t)
	spec := s.spec(t)
	spec.Keep = []int{theirs}
	if got := behind(t, s, spec, s.allWalls(), testBinary(t), "attack", "pass a file on", filepath.Join(s.work, "note")); got != attack.Done {
		t.Fatal(got)
	}
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(ours, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	text := make([]byte, 9)
	if _, err := unix.Pread(fds[0], text, 0); err != nil || string(text) != "passed on" {
		t.Errorf("read %q, %v; want what the target wrote", text, err)
	}
}

// A cover lies on the file that is there when the target starts. Where a process
// outside puts another file in its place, the kernel takes the cover off
// (rename(2), since Linux 3.18), and the target sees the new one.
func TestHiddenFileReplacedFromOutside(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	s.protect()
	const script = `cat cover/hidden; echo ready; read line; cat cover/hidden`
	first, second := aroundChange(t, s, script, func() {
		fresh := filepath.Join(filepath.Dir(s.hidden), "fresh")
		if err := os.WriteFile(fresh, []byte("new secret"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(fresh, s.hidden); err != nil {
			t.Fatal(err)
		}
	})
	if first != "ready\n" || second != "new secret" {
		t.Errorf("read %q before, %q after the file was replaced; want it hidden before only", first, second)
	}
	// Written in place, it stays hidden.
	first, second = aroundChange(t, s, script, func() {
		if err := os.WriteFile(s.hidden, []byte("new secret"), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	if first != "ready\n" || second != "" {
		t.Errorf("read %q before, %q after the file was written; want it hidden", first, second)
	}
}

// aroundChange runs a script behind all walls that writes "ready", reads a line
// and goes on, and makes a change meanwhile. It returns what was written before
// and after.
func aroundChange(t *testing.T, s *scene, script string, change func()) (first, second string) {
	t.Helper()
	spec := s.spec(t)
	output := streams(t, spec)
	input, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	defer feed.Close()
	spec.Stdin, spec.Args = input, []string{"/bin/sh", "-c", script}
	ended := make(chan error, 1)
	go func() {
		_, err := attemptWith(s, spec, s.allWalls())
		spec.Stdout.Close()
		ended <- err
	}()
	lines := bufio.NewReader(output)
	first, err = lines.ReadString('\n')
	if err != nil {
		t.Fatal(err, <-ended)
	}
	change()
	io.WriteString(feed, "go on\n")
	rest, _ := io.ReadAll(lines)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return first, string(rest)
}
