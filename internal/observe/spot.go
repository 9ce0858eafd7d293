package observe

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy/learn"
)

// spot is where a path argument leads. The zero spot is nowhere.
type spot struct {
	path    string // absolute and clean, as the program named it
	real    string // without links; "" where nothing is
	exists  bool
	folder  bool
	regular bool
	opened  bool // it is a descriptor's
}

// place follows argument i as the task would: from its folder, or the open one
// that stands before the path.
func (s *stop) place(i int) spot {
	text, err := s.Path(i)
	if err != nil {
		if errors.Is(err, abi.EPERM) || errors.Is(err, abi.EACCES) {
			s.ledger.Closed(s.program)
		}
		return spot{} // what can't be read otherwise, the kernel refuses
	}
	var base string
	if !path.IsAbs(text) || text == "" {
		from := "cwd"
		if i > 0 && s.row.Args[i-1].Kind == abi.KindDirFD {
			const here = -100 // AT_FDCWD
			if fd := int32(s.Args[i-1]); fd != here {
				from = "fd/" + strconv.Itoa(int(fd))
			}
		}
		if base = s.link(from); base == "" {
			return spot{}
		}
	}
	return s.find(base, text)
}

// link reads a link in the task's folder of /proc: a path, or "".
func (s *stop) link(name string) string {
	text, err := os.Readlink("/proc/" + strconv.Itoa(s.Task.TID) + "/" + name)
	if err != nil || !path.IsAbs(text) || strings.HasSuffix(text, " (deleted)") || strings.HasPrefix(text, "/memfd:") {
		return ""
	}
	return text
}

// descriptor is the file that a task has open.
func (s *stop) descriptor(fd int32) spot {
	if fd < 0 {
		return spot{}
	}
	if name := s.link("fd/" + strconv.Itoa(int(fd))); name != "" {
		at := s.find("", name)
		at.opened = true
		return at
	}
	return spot{}
}

// find looks at a path from a folder.
func (s *stop) find(base, text string) spot {
	full := text
	if base != "" {
		full = strings.TrimSuffix(base, "/") + "/" + text
	}
	at := spot{path: path.Clean(full)}
	if own, ok := s.ownProcess(at.path); ok {
		s.ledger.File(learn.File{Path: "/proc", Folder: true, Use: learn.Look}, s.program)
		full, at.path = own, own
	}
	if within(at.path, "/dev") {
		_, err := sys.FileType(at.path)
		at.exists = err == nil
		return at
	}
	if strings.Contains("/"+text+"/", "/../") {
		return s.findBack(full)
	}
	sight, err := sys.Look(full)
	if err != nil {
		return at
	}
	at.set(sight)
	if within(at.path, "/proc") && at.real != "" && !within(at.real, "/proc") {
		at.path = at.real // such as /proc/self/exe
	}
	return at
}

func (at *spot) set(sight sys.Sight) {
	at.exists, at.real = true, sight.Path
	at.folder, at.regular = sight.Type == syscall.S_IFDIR, sight.Type == syscall.S_IFREG
}

// findBack is find for a path with ".." in it, which means what is above the
// folder that the path led to so far. Those folders must be there as well.
func (s *stop) findBack(full string) spot {
	parts := strings.Split(full, "/")
	for i, part := range parts {
		if part != ".." || i < 2 || parts[i-1] == ".." {
			continue
		}
		prefix := strings.Join(parts[:i], "/")
		if sight, err := sys.Look(prefix); err == nil && sight.Path != "" {
			name := sight.Path
			if !strings.Contains(prefix, "/..") { // the links on the way must be there, too
				name = path.Clean(prefix)
			}
			s.ledger.File(learn.File{Path: name, Real: sight.Path, Folder: true, Use: learn.Look}, s.program)
		}
	}
	if sight, err := sys.Look(full); err == nil && sight.Path != "" {
		at := spot{path: sight.Path}
		at.set(sight)
		return at
	}
	folder, name := path.Split(full)
	if sight, err := sys.Look(folder); err == nil && sight.Path != "" && name != ".." {
		return spot{path: path.Join(sight.Path, name)}
	}
	return spot{}
}

// ownProcess has the names for "this process" in /proc mean the task's.
func (s *stop) ownProcess(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "/proc/")
	if !ok {
		return name, false
	}
	own := "/proc/" + strconv.Itoa(s.Task.TID)
	for _, self := range []string{"self", "thread-self"} {
		if within("/"+rest, "/"+self) {
			return own + strings.TrimPrefix(rest, self), true
		}
	}
	return name, true
}

func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, strings.TrimSuffix(folder, "/")+"/")
}

// note tells of a file that is there.
func (s *stop) note(at spot, use learn.Use) {
	if !at.exists || at.path == "" {
		return
	}
	s.ledger.File(learn.File{Path: at.path, Real: at.real, Folder: at.folder, Opened: at.opened, Use: use}, s.program)
}

// change tells that a folder's entries change, for the sake of one of them.
func (s *stop) change(at spot) {
	if at.path == "" || at.path == "/" || within(at.path, "/proc") {
		return
	}
	folder := path.Dir(at.path)
	sight, err := sys.Look(folder)
	if err != nil {
		return
	}
	s.ledger.File(learn.File{Path: folder, Real: sight.Path, Folder: true, Use: learn.Change}, s.program)
}

// make tells that a file is made, if it isn't there yet.
func (s *stop) make(at spot) {
	s.change(at)
	if at.path != "" && !at.exists {
		s.ledger.File(learn.File{Path: at.path, Use: learn.Make}, s.program)
	}
}
