package jail

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The paths of a policy are resolved before the target starts. A link that
// stands in one's place by then must not lead a grant, or a cover, astray.
func TestSwappedLink(t *testing.T) {
	for _, c := range []struct {
		name     string
		withheld bool
		swap     func(s *scene) string // the folder that becomes a link
	}{
		{"granted", false, func(s *scene) string { return filepath.Dir(s.readable) }},
		{"covered", true, func(s *scene) string { return filepath.Dir(s.hidden) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			if c.withheld {
				s.protect()
			}
			folder := c.swap(s)
			aim := filepath.Join(folder, "secret")
			granted := s.spec(t)
			if err := os.Rename(folder, folder+"-away"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Dir(s.outside), folder); err != nil {
				t.Fatal(err)
			}
			if text, err := exec.Command("cat", aim).Output(); err != nil || string(text) != "secret" {
				t.Fatalf("without a jail: %q, %v; want the secret", text, err)
			}
			for name, walls := range map[string][]Wall{"all walls": s.allWalls(), "fallback": s.fallbackWalls()} {
				spec := *granted
				got := behind(t, s, &spec, walls, "/bin/cat", aim)
				if got == "secret" {
					t.Errorf("%s: the link was followed", name)
				}
			}
		})
	}
}

// Swapping at any moment of the start is as vain.
func TestSwapWhileStarting(t *testing.T) {
	s := newScene(t)
	folder := filepath.Dir(s.readable)
	link := folder + "-link"
	if err := os.Symlink(filepath.Dir(s.outside), link); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, folder, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for i := range 40 {
		spec := &Spec{}
		Outline(spec, s.policy)
		if err := Apply(spec, s.policy, s.target); err != nil {
			continue // the swap was seen in time
		}
		s.finish(spec)
		// The link may have been resolved: then that folder is what was granted.
		if granted, _ := spec.sees(s.outside); granted {
			continue
		}
		walls := s.allWalls()
		if i%2 == 1 {
			walls = s.fallbackWalls()
		}
		if got := behind(t, s, spec, walls, "/bin/cat", filepath.Join(folder, "secret")); got == "secret" {
			t.Errorf("behind %v: the link was followed", walls)
		}
	}
}

// Nor does it help once the target runs.
func TestSwapAfterStarting(t *testing.T) {
	for name, walls := range map[string]func(*scene) []Wall{"all walls": (*scene).allWalls, "fallback": (*scene).fallbackWalls} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			folder := filepath.Dir(s.readable)
			spec := s.spec(t)
			output := streams(t, spec)
			input, feed, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer input.Close()
			defer feed.Close()
			spec.Stdin = input
			spec.Args = []string{"/bin/sh", "-c", `echo ready; read line; cat "$0"`, filepath.Join(folder, "secret")}
			ended := make(chan error, 1)
			go func() {
				_, err := attemptWith(s, spec, walls(s))
				spec.Stdout.Close()
				ended <- err
			}()
			lines := bufio.NewReader(output)
			if line, err := lines.ReadString('\n'); line != "ready\n" {
				t.Fatalf("%q, %v, %v; want ready", line, err, <-ended)
			}
			if err := os.Rename(folder, folder+"-away"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Dir(s.outside), folder); err != nil {
				t.Fatal(err)
			}
			io.WriteString(feed, "go on\n")
			rest, _ := io.ReadAll(lines)
			if err := <-ended; err != nil || strings.Contains(string(rest), "secret") {
				t.Errorf("the target read %q, %v; want nothing", rest, err)
			}
		})
	}
}
