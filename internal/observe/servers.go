package observe

import (
	"encoding/binary"
	"os"
	"path"
	"sync"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy/learn"
)

// servers are the calls that do more with a file than to look at it, or that name
// none by its path.
var servers = sync.OnceValue(func() map[string]func(*stop) {
	all := map[string]func(*stop){
		"open": (*stop).open, "openat": (*stop).open, "creat": (*stop).open, "openat2": (*stop).open,
		"execve": (*stop).exec, "execveat": (*stop).exec,
		"mmap":     (*stop).mapCode,
		"getdents": uses(learn.List), "getdents64": uses(learn.List), "fchdir": uses(learn.Look),
		"fchmod": uses(learn.Write), "fchown": uses(learn.Write), "fsetxattr": uses(learn.Write), "fremovexattr": uses(learn.Write),
		"mkdir": (*stop).makes, "mkdirat": (*stop).makes, "mknod": (*stop).makes, "mknodat": (*stop).makes,
		"symlink": (*stop).links, "symlinkat": (*stop).links,
		"link": (*stop).moves, "linkat": (*stop).moves,
		"rename": (*stop).moves, "renameat": (*stop).moves, "renameat2": (*stop).moves,
		"unlink": (*stop).removes, "unlinkat": (*stop).removes, "rmdir": (*stop).removes,
		"access": (*stop).asks, "faccessat": (*stop).asks, "faccessat2": (*stop).asks,
		"wait4": (*stop).waits, "waitid": (*stop).waits,
		"connect": (*stop).connect, "bind": (*stop).bind,
		"sendto": (*stop).sends, "sendmsg": (*stop).sendsMessage, "sendmmsg": (*stop).sendsMessage,
	}
	for _, name := range []string{
		"truncate", "chmod", "chown", "lchown", "fchmodat", "fchmodat2", "fchownat", "utime", "utimes", "futimesat", "utimensat",
		"setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr", "removexattrat",
	} {
		all[name] = (*stop).changes
	}
	return all
})

// uses is for calls on an open descriptor, their first argument.
func uses(use learn.Use) func(*stop) {
	return func(s *stop) { s.note(s.descriptor(int32(s.Args[0])), use) }
}

// paths lists the indexes of the call's path arguments.
func (s *stop) paths() (list []int) {
	for i := range s.row.Args {
		if s.row.Args[i].Kind == abi.KindPath {
			list = append(list, i)
		}
	}
	return list
}

func (s *stop) looks() {
	for _, i := range s.paths() {
		s.note(s.place(i), learn.Look)
	}
}

// asks is for programs that ask whether they may execute a file, as shells do
// before they run it: they are to get the same answer.
func (s *stop) asks() {
	for _, i := range s.paths() {
		at, use := s.place(i), learn.Look
		if mode := s.Args[i+1]; mode&1 != 0 && at.regular && mayExecute(at.path) {
			use = learn.Read | learn.Execute
		}
		s.note(at, use)
	}
}

func mayExecute(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&0o111 != 0
}

func (s *stop) changes() {
	for _, i := range s.paths() {
		if s.Args[i] == 0 { // utimensat of a descriptor
			s.note(s.descriptor(int32(s.Args[0])), learn.Write)
			continue
		}
		s.note(s.place(i), learn.Write)
	}
}

func (s *stop) makes() {
	for _, i := range s.paths() {
		s.make(s.place(i))
	}
}

// links has a path whose text alone counts before that of the new link.
func (s *stop) links() {
	if list := s.paths(); len(list) > 0 {
		s.make(s.place(list[len(list)-1]))
	}
}

func (s *stop) removes() {
	for _, i := range s.paths() {
		s.change(s.place(i))
	}
}

// moves has both folders change, and what they have in common: between two mounts
// nothing is renamed.
func (s *stop) moves() {
	list := s.paths()
	if len(list) != 2 {
		return
	}
	from, to := s.place(list[0]), s.place(list[1])
	s.change(from)
	s.make(to)
	if from.path == "" || to.path == "" {
		return
	}
	if a, b := path.Dir(from.path), path.Dir(to.path); a != b {
		for folder := a; folder != "/"; folder = path.Dir(folder) {
			if within(b, folder) {
				s.ledger.File(learn.File{Path: folder, Folder: true, Use: learn.Change}, s.program)
				return
			}
		}
	}
}

const (
	accessMode = 3
	writeOnly  = 1
	oPath      = 0x200000 // O_PATH and __O_TMPFILE on amd64, arm64 and riscv64
	oTmpfile   = 0x400000
)

func (s *stop) open() {
	list := s.paths()
	if len(list) == 0 {
		return
	}
	flags := s.openFlags(list[0])
	at := s.place(list[0])
	use := learn.Read
	switch flags & accessMode {
	case 0:
	case writeOnly:
		use = learn.Write
	default:
		use = learn.Read | learn.Write
	}
	switch {
	case flags&oPath != 0, flags&syscall.O_DIRECTORY != 0 && flags&oTmpfile == 0:
		use = learn.Look
	case flags&oTmpfile != 0:
		use = learn.Change
	case flags&syscall.O_TRUNC != 0:
		use |= learn.Write
	}
	if at.exists && at.folder && use&learn.Change == 0 {
		use = learn.Look
	}
	if flags&syscall.O_CREAT != 0 && flags&oPath == 0 && (!at.exists || at.regular) {
		s.make(at)
		use |= learn.Write
	}
	s.note(at, use)
}

// openFlags are the flags of the calls that open: creat's are fixed, openat2's lie
// in memory (struct open_how).
func (s *stop) openFlags(pathAt int) uint64 {
	switch s.row.Name {
	case "creat":
		return syscall.O_CREAT | syscall.O_WRONLY | syscall.O_TRUNC
	case "openat2":
		var how [8]byte
		if s.Read(s.Args[pathAt+1], how[:]) != nil {
			return 0
		}
		return binary.LittleEndian.Uint64(how[:])
	}
	return s.Args[pathAt+1]
}

// waits is for programs that wait for a process: there is one.
func (s *stop) waits() { s.ledger.Process(s.program) }

// mapCode is for files that are mapped as code: only such calls of mmap stop.
func (s *stop) mapCode() {
	if fd := int32(s.Args[4]); fd >= 0 && s.Args[3]&syscall.MAP_ANONYMOUS == 0 {
		s.note(s.descriptor(fd), learn.Read|learn.Execute)
	}
}
