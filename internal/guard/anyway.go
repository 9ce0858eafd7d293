package guard

import (
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// The permissions of a file.
const (
	mayRead    fs.FileMode = 4
	mayWrite   fs.FileMode = 2
	mayExecute fs.FileMode = 1
	mayChange              = mayWrite | mayExecute // what a folder holds
)

// failsAnyway reports whether a call about what stands at a place fails whatever
// the file tree is: by its own rules, or by permissions. The manual pages list the
// errors.
func failsAnyway(t *gate.Trap, row *abi.Syscall, i int, slash bool, at place, v *viewer) bool {
	there, dir := at.info != nil, at.info != nil && at.info.IsDir()
	changes := at.in != nil && v.may(at.in, mayChange)
	switch {
	case slash && !dir && (there || !isAbout(row, "mkdir", "mkdirat", "rename", "renameat", "renameat2")):
		return true // ENOTDIR, ENOENT; EISDIR of open
	case isAbout(row, "open", "openat", "creat"):
		return opensAnyway(t, row, at, v)
	case isAbout(row, "mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat"), isAbout(row, "link", "linkat") && namesNew(row, i):
		return there || !changes
	case namesNew(row, i):
		return there && has(t, row, "flags", "RENAME_NOREPLACE") || !changes || !replaces(t, row, slash, at, v)
	case !there:
		return true
	case isAbout(row, "rename", "renameat", "renameat2"):
		return !changes
	case isAbout(row, "link", "linkat"):
		return dir
	case isAbout(row, "rmdir"), isAbout(row, "unlinkat") && has(t, row, "flag", "AT_REMOVEDIR"):
		return !dir || !changes || !isEmpty(at.real)
	case isAbout(row, "unlink", "unlinkat"):
		return dir || !changes
	case isAbout(row, "access", "faccessat", "faccessat2"):
		return accessesAnyway(t, row, at, v)
	case isAbout(row, "execve", "execveat"):
		return !at.info.Mode().IsRegular() || !v.may(at.info, mayExecute)
	case isAbout(row, "truncate"):
		return !at.info.Mode().IsRegular() || !v.may(at.info, mayWrite)
	case isAbout(row, "chdir"):
		return !dir || !v.may(at.info, mayExecute)
	case isAbout(row, "readlink", "readlinkat"):
		return at.info.Mode()&fs.ModeSymlink == 0
	}
	return changesAttributesAnyway(row, at, v)
}

// changesAttributesAnyway is failsAnyway for xattr(7), as far as it looks at the
// file: whether it has the attribute is not looked at.
func changesAttributesAnyway(row *abi.Syscall, at place, v *viewer) bool {
	link := at.info.Mode()&fs.ModeSymlink != 0
	switch {
	case isAbout(row, "getxattr", "lgetxattr"):
		return !v.may(at.info, mayRead) && !link
	case isAbout(row, "setxattr", "lsetxattr", "removexattr", "lremovexattr"):
		return link || !v.may(at.info, mayWrite)
	}
	return false
}

// accessesAnyway is failsAnyway for access(2).
func accessesAnyway(t *gate.Trap, row *abi.Syscall, at place, v *viewer) bool {
	mode := fs.FileMode(argumentOf(t, row, "mode")) & (mayRead | mayWrite | mayExecute)
	const device = fs.ModeDevice | fs.ModeNamedPipe | fs.ModeSocket
	return !v.may(at.info, mode) || mode&mayWrite != 0 && at.info.Mode()&device != 0 // which are written to wherever they stand
}

// opensAnyway is failsAnyway for open(2).
func opensAnyway(t *gate.Trap, row *abi.Syscall, at place, v *viewer) bool {
	flags := argumentOf(t, row, "flags")
	creates, empties := has(t, row, "flags", "O_CREAT"), has(t, row, "flags", "O_TRUNC")
	if row.Name == "creat" {
		flags, creates, empties = 1, true, true
	}
	if at.info == nil {
		return !creates || at.in == nil || !v.may(at.in, mayChange)
	}
	want := [...]fs.FileMode{mayRead, mayWrite, mayRead | mayWrite, mayRead | mayWrite}[flags&3]
	if empties {
		want |= mayWrite
	}
	dir, file := at.info.IsDir(), at.info.Mode().IsRegular()
	switch {
	case has(t, row, "flags", "O_PATH"):
		return false
	case creates && has(t, row, "flags", "O_EXCL"), at.info.Mode()&fs.ModeSymlink != 0:
		return true // EEXIST, ELOOP
	case has(t, row, "flags", "O_TMPFILE"):
		return !dir || !v.may(at.info, mayChange)
	case dir && (want&mayWrite != 0 || creates), !dir && has(t, row, "flags", "O_DIRECTORY"):
		return true // EISDIR, ENOTDIR
	case !dir && !file && want&mayWrite != 0:
		return true // devices are written to wherever they stand
	}
	return !v.may(at.info, want)
}

// onlyReads reports whether a call that may make a file finds it there, and opens
// it for reading.
func onlyReads(t *gate.Trap, row *abi.Syscall, at place) bool {
	return isAbout(row, "open", "openat") && at.info != nil && argumentOf(t, row, "flags")&3 == 0 && !has(t, row, "flags", "O_TRUNC")
}

// namesNew reports whether a path of a call is what a file is to be called.
func namesNew(row *abi.Syscall, i int) bool {
	return isAbout(row, "rename", "renameat", "renameat2", "link", "linkat") && i != firstPath(row)
}

// replaces reports whether what a call renames is there, and of the kind of what is
// called so now.
func replaces(t *gate.Trap, row *abi.Syscall, slash bool, at place, v *viewer) bool {
	first := firstPath(row)
	text, err := t.Path(first)
	if err != nil {
		return false
	}
	old, err := v.look(absolute(t, row, first, text), false)
	if err != nil || old.info == nil {
		return false
	}
	return old.info.IsDir() == (slash || at.info != nil && at.info.IsDir()) || old.info.IsDir() && at.info == nil
}

// follows reports whether a call is about what a link at the end of its path leads
// to, and not about the link.
func follows(t *gate.Trap, row *abi.Syscall, i int) bool {
	text, _ := t.Path(i)
	slash := strings.HasSuffix(text, "/")
	switch {
	case isAbout(row, "open", "openat"):
		return (slash || !has(t, row, "flags", "O_NOFOLLOW")) && !has(t, row, "flags", "O_CREAT", "O_EXCL")
	case isAbout(row, "mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir",
		"rename", "renameat", "renameat2", "link"):
		return false
	case isAbout(row, "lchown", "readlink", "readlinkat", "lstat", "lsetxattr", "lgetxattr", "lremovexattr", "llistxattr"):
		return slash
	case isAbout(row, "linkat"):
		return has(t, row, "flags", "AT_SYMLINK_FOLLOW") && i == 1
	}
	return slash || !has(t, row, "flag", "AT_SYMLINK_NOFOLLOW") && !has(t, row, "flags", "AT_SYMLINK_NOFOLLOW")
}

// firstPath is the index of a call's first path.
func firstPath(row *abi.Syscall) int {
	return slices.IndexFunc(row.Args, func(a abi.Arg) bool { return a.Kind == abi.KindPath })
}

func isAbout(row *abi.Syscall, names ...string) bool { return slices.Contains(names, row.Name) }

// has reports whether an argument of a call has all of some flags.
func has(t *gate.Trap, row *abi.Syscall, argument string, flags ...string) bool {
	value := argumentOf(t, row, argument)
	for _, name := range flags {
		if bits, ok := abi.ParseConstant(name, t.Arch); !ok || value&bits != bits {
			return false
		}
	}
	return true
}

// argumentOf is the value of an argument, or 0 where a call has no such.
func argumentOf(t *gate.Trap, row *abi.Syscall, name string) uint64 {
	for i := range row.Args {
		if row.Args[i].Name == name {
			return row.Args[i].Narrow(t.Args[i])
		}
	}
	return 0
}

// isEmpty reports whether a folder holds nothing, as far as callgate may look.
func isEmpty(folder string) bool {
	f, err := os.Open(folder)
	if err != nil {
		return true
	}
	defer f.Close()
	names, _ := f.Readdirnames(1)
	return len(names) == 0
}
