package files

import (
	"syscall"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// Finder finds files as a target's paths name them, and decides nothing.
type Finder struct {
	OwnProc bool // the target's /proc shows its own processes, and not callgate
}

// Find opens what a path leads to, a link at its end followed (O_PATH), and returns
// its name as the kernel has it. The target's root and folder are those of the
// thread that waits, whatever they have become.
func (f Finder) Find(t *gate.Trap, text string) (fd int, name string, err error) {
	h := &Handler{ownProc: f.OwnProc}
	defer h.Close()
	c := &call{Trap: t, Handler: h}
	s, err := c.find(here, text, true)
	if err != nil {
		return -1, "", err
	}
	defer s.close()
	if s.name == "" {
		fd, err = sys.Reopen(s.folder, sys.ModePath)
	} else {
		fd, err = sys.OpenAt(s.folder, s.name, sys.ModePath|syscall.O_NOFOLLOW, 0, 0)
	}
	if err != nil {
		return -1, "", err
	}
	if name, err = sys.PathOf(fd); err != nil {
		sys.Close(fd)
		return -1, "", err
	}
	return fd, name, nil
}
