package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// stage is what the program finds when it looks around: a home, a project
// folder in it, a listener that stands for the attacker's server, and another
// program to attach to.
type stage struct {
	folder   string
	home     home
	project  string
	listener net.Listener
	other    *exec.Cmd
}

func newStage() (*stage, error) {
	folder, err := os.MkdirTemp("", "callgate-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{folder: folder, home: home{filepath.Join(folder, "home")}}
	s.project = filepath.Join(s.home.folder, "project")
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) build() (err error) {
	if err := os.MkdirAll(s.project, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.project, "words.txt"), []byte("to be or not to be\n"), 0o644); err != nil {
		return err
	}
	compile := exec.Command("go", "build", "-o", filepath.Join(s.project, "suspect"), "./examples/demo/suspect")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("build the suspicious program (run demo from the module's root): %w\n%s", err, out)
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	go answer(s.listener)
	s.other = exec.Command("sleep", "600")
	return s.other.Start()
}

// answer takes calls until the listener is closed.
func answer(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.Close()
	}
}

func (s *stage) address() string { return s.listener.Addr().String() }
func (s *stage) victim() string  { return strconv.Itoa(s.other.Process.Pid) }

// close ends and removes everything.
func (s *stage) close() error {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.other != nil && s.other.Process != nil {
		s.other.Process.Kill()
		s.other.Wait()
	}
	return os.RemoveAll(s.folder)
}

// home is a made-up home with a made-up key.
type home struct{ folder string }

const bashrc = "# a person's own shell settings\n"

// furnish puts the home in order.
func (h home) furnish() error {
	if err := os.MkdirAll(filepath.Join(h.folder, ".ssh"), 0o700); err != nil {
		return err
	}
	key := filepath.Join(h.folder, ".ssh", "id_ed25519")
	if err := os.WriteFile(key, []byte("not a real key, but who reads it does not know that\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(h.folder, ".bashrc"), []byte(bashrc), 0o644)
}

// changed says whether someone wrote to the shell settings.
func (h home) changed() string {
	data, err := os.ReadFile(filepath.Join(h.folder, ".bashrc"))
	switch {
	case err != nil:
		return err.Error()
	case string(data) == bashrc:
		return "as it was"
	}
	return "changed"
}
