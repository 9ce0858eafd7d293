package files

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// maxLinks is the kernel's own bound on links in one path (MAXSYMLINKS).
const maxLinks = 40

// inProc reports whether a spot lies in a /proc: some of its links lead elsewhere
// for callgate than for the target, and some are no text.
func (c *call) inProc(s *spot) bool {
	return s.path == "/proc" || strings.HasPrefix(s.path, "/proc/") || !c.ownProc && sys.IsProc(s.folder)
}

// walk follows a path name by name, as find does: through /proc as the target
// sees it, and for paths that leave the folder they begin at.
func (c *call) walk(base int, text string, follow bool) (*spot, error) {
	w := walker{call: c, at: base, shared: true, slash: strings.HasSuffix(text, "/")}
	w.begin(text)
	s, err := w.run(follow || w.slash)
	if err != nil {
		w.leave()
		return nil, err
	}
	return s, nil
}

type walker struct {
	*call
	at     int // the folder that was reached
	shared bool
	rest   []string
	links  int
	slash  bool
}

// begin puts a path before what is left to walk.
func (w *walker) begin(text string) {
	if path.IsAbs(text) {
		w.leave()
		w.at, w.shared = w.top, true
	}
	w.rest = append(split(text), w.rest...)
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '/' })
}

func (w *walker) leave() {
	if !w.shared {
		sys.Close(w.at)
	}
	w.shared = true
}

func (w *walker) enter(fd int) {
	w.leave()
	w.at, w.shared = fd, false
}

func (w *walker) run(follow bool) (*spot, error) {
	for len(w.rest) > 0 {
		name, last := w.rest[0], len(w.rest) == 1
		w.rest = w.rest[1:]
		if err := w.mayEnter(name); err != nil {
			return nil, err
		}
		fd, err := sys.OpenAt(w.at, name, sys.ModePath|syscall.O_NOFOLLOW, 0, 0)
		if err != nil {
			if last && err == syscall.ENOENT && name != ".." {
				return w.end(name)
			}
			return nil, err
		}
		stat, err := sys.StatAt(fd, "")
		switch {
		case err != nil:
			sys.Close(fd)
			return nil, err
		case name == "..", name == ".": // which the folder must let be looked up
			w.enter(fd)
		case stat.Mode&syscall.S_IFMT != syscall.S_IFLNK && last, last && !follow:
			sys.Close(fd)
			return w.end(name)
		case stat.Mode&syscall.S_IFMT != syscall.S_IFLNK:
			w.enter(fd)
		default:
			object, err := w.follow(fd, name)
			sys.Close(fd)
			if err != nil {
				return nil, err
			}
			if object != nil && last {
				w.leave()
				return object, nil
			}
			if object != nil {
				w.enter(object.folder)
			}
		}
	}
	return w.end("")
}

// end is the spot of a name in the folder that was reached, or of the folder.
func (w *walker) end(name string) (*spot, error) {
	s := &spot{folder: w.at, shared: w.shared, name: name, slash: w.slash}
	var err error
	s.path, err = sys.PathOf(w.at)
	return s, err
}

// follow goes on with the text of a link, or returns the file that a magic one,
// such as /proc/PID/fd/N, leads to.
func (w *walker) follow(link int, name string) (*spot, error) {
	if w.links++; w.links > maxLinks {
		return nil, syscall.ELOOP
	}
	if sys.IsProc(w.at) {
		if own, err := w.ownEntry(name); own != "" || err != nil {
			w.begin(own)
			return nil, err
		}
		probe, err := sys.OpenAt(w.at, name, sys.ModePath, 0, sys.WalkNoMagicLinks)
		if err == nil {
			sys.Close(probe)
		}
		if err == syscall.ELOOP {
			fd, err := sys.OpenAt(w.at, name, sys.ModePath, 0, 0)
			if err != nil {
				return nil, err
			}
			return found(fd)
		}
	}
	text, err := sys.ReadLinkAt(link, "")
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, syscall.ENOENT
	}
	w.begin(text)
	return nil, nil
}

// procRoot is the inode of every /proc's root (include/linux/proc_ns.h).
const procRoot = 1

// ownEntry is what /proc/self and /proc/thread-self are to the target.
func (w *walker) ownEntry(name string) (string, error) {
	if name != "self" && name != "thread-self" {
		return "", nil
	}
	if stat, err := sys.StatAt(w.at, ""); err != nil || stat.Ino != procRoot {
		return "", err
	}
	process, thread, err := w.numbers()
	if name == "self" || err != nil {
		return process, err
	}
	return process + "/task/" + thread, nil
}

// numbers are the target's own, as its /proc has them: the innermost.
func (c *call) numbers() (process, thread string, err error) {
	text, err := sys.ReadHead("/proc/" + strconv.Itoa(c.Task.TID) + "/status")
	if err != nil {
		return "", "", errors.Join(syscall.ENOENT, err)
	}
	return lastField(text, "NStgid:"), lastField(text, "NSpid:"), nil
}

func lastField(text, key string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			fields := strings.Fields(rest)
			if len(fields) > 0 {
				return fields[len(fields)-1]
			}
		}
	}
	return ""
}

// mayEnter keeps the walk out of other processes' parts of the machine's own
// /proc: callgate may see more there than the target. In a /proc of the target's
// own, nobody has more to see.
func (w *walker) mayEnter(name string) error {
	if w.ownProc || strings.Trim(name, "0123456789") != "" || !sys.IsProc(w.at) {
		return nil
	}
	if stat, err := sys.StatAt(w.at, ""); err != nil || stat.Ino != procRoot {
		return err
	}
	for pid, hops := name, 0; hops < 4096; hops++ {
		text, err := sys.ReadHead("/proc/" + pid + "/status")
		if err != nil {
			break
		}
		// callgate's only child is the target's init, which is no part of it.
		above := lastField(text, "PPid:")
		if hops > 0 && above == strconv.Itoa(os.Getpid()) {
			return nil
		}
		if pid = above; pid == "0" || pid == "" {
			break
		}
	}
	return syscall.EACCES
}
