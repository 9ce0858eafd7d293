package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// attacks read a hidden file, or change what may only be read: each in one way,
// from a folder as raced makes it. They return what they read, or that they
// changed something.
var attacks = map[string]func() string{
	"open":                   func() string { return slurp(".env") },
	"open by its real path":  func() string { dir, _ := os.Getwd(); return slurp(dir + "/.env") },
	"open by dots":           func() string { return slurp("open/../././/.env") },
	"open by a link":         func() string { return slurp(linked(".env")) },
	"open by a chain":        func() string { return slurp(linked(linked(linked("./.env")))) },
	"open by a folder link":  func() string { return slurp(linked("vault") + "/file") },
	"open by /proc/self/cwd": func() string { return slurp("/proc/self/cwd/.env") },
	"open by /proc/thread-self/root": func() string {
		dir, _ := os.Getwd()
		return slurp("/proc/thread-self/root" + dir + "/.env")
	},
	"open by a process's number":  func() string { return slurp(fmt.Sprintf("/proc/%d/cwd/.env", os.Getpid())) },
	"open by a thread's number":   func() string { return slurp(fmt.Sprintf("/proc/self/task/%d/cwd/.env", os.Getpid())) },
	"open by a link into /proc":   func() string { return slurp(linked("/proc/self/cwd") + "/.env") },
	"open from a folder":          func() string { return slurpAt(mustOpen("vault"), "file") },
	"open from a folder, upwards": func() string { return slurpAt(mustOpen("open"), "../.env") },
	"reopen a path descriptor":    func() string { return slurp(fmt.Sprintf("/proc/self/fd/%d", mustOpen(".env"))) },
	"reopen by /dev/fd":           func() string { return slurp(fmt.Sprintf("/dev/fd/%d", mustOpen(".env"))) },
	"openat2": func() string {
		return slurpHow(unix.OpenHow{Flags: unix.O_RDONLY})
	},
	"openat2 beneath": func() string {
		return slurpHow(unix.OpenHow{Flags: unix.O_RDONLY, Resolve: unix.RESOLVE_BENEATH})
	},
	"openat2 in a root": func() string {
		return slurpHow(unix.OpenHow{Flags: unix.O_RDONLY, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS})
	},
	"rename it":         func() string { unix.Rename(".env", "x"); return slurp("x") },
	"exchange it":       func() string { unix.Renameat2(here, ".env", here, "fine", unix.RENAME_EXCHANGE); return slurp("fine") },
	"rename its folder": func() string { unix.Rename("vault", "x"); return slurp("x/file") },
	"exchange its folder": func() string {
		unix.Renameat2(here, "vault", here, "open", unix.RENAME_EXCHANGE)
		return slurp("open/file")
	},
	"move its folder in": func() string { unix.Rename("vault", "open/x"); return slurp("open/x/file") },
	"link to it":         func() string { unix.Link(".env", "x"); return slurp("x") },
	"link to its descriptor": func() string {
		unix.Linkat(here, fmt.Sprintf("/proc/self/fd/%d", mustOpen(".env")), here, "x", unix.AT_SYMLINK_FOLLOW)
		return slurp("x")
	},
	readAttribute: func() string {
		value := make([]byte, 64)
		n, _ := unix.Getxattr(".env", "user.secret", value)
		return string(value[:max(n, 0)])
	},
	"write": func() string { return changedBy(os.WriteFile("x.locked", []byte("c"), 0)) },
	"empty, to read": func() string {
		fd, err := unix.Open("x.locked", unix.O_RDONLY|unix.O_TRUNC, 0)
		unix.Close(fd)
		return changedBy(err)
	},
	"empty by truncate": func() string { return changedBy(unix.Truncate("x.locked", 1)) },
	"remove":            func() string { return changedBy(unix.Unlink("x.locked")) },
	"rename over":       func() string { return changedBy(unix.Rename("fine", "x.locked")) },
	"rename away":       func() string { return changedBy(unix.Rename("x.locked", "x")) },
	"link and write": func() string {
		if unix.Link("x.locked", "x") != nil {
			return ""
		}
		return changedBy(os.WriteFile("x", []byte("c"), 0))
	},
	"chmod": func() string { return changedBy(unix.Chmod("x.locked", 0o600)) },
	"chmod its descriptor": func() string {
		fd, _ := unix.Open("x.locked", unix.O_RDONLY, 0)
		return changedBy(unix.Fchmod(fd, 0o600))
	},
	"chown its descriptor": func() string {
		fd, _ := unix.Open("x.locked", unix.O_RDONLY, 0)
		return changedBy(unix.Fchown(fd, os.Getuid(), os.Getgid()))
	},
	"chown": func() string { return changedBy(unix.Lchown("x.locked", os.Getuid(), os.Getgid())) },
	"change its times": func() string {
		return changedBy(unix.UtimesNanoAt(here, "x.locked", []unix.Timespec{{Sec: 1}, {Sec: 1}}, 0))
	},
	"change its descriptor's times": func() string {
		fd, _ := unix.Open("x.locked", unix.O_RDONLY, 0)
		return changedBy(futimens(fd))
	},
	"write by a descriptor to read": func() string {
		fd, _ := unix.Open("x.locked", unix.O_RDONLY, 0)
		return changedBy(os.WriteFile(fmt.Sprintf("/proc/self/fd/%d", fd), []byte("c"), 0))
	},
	"make": func() string {
		fd, err := unix.Open("new.locked", unix.O_CREAT|unix.O_WRONLY, 0o600)
		unix.Close(fd)
		return changedBy(err)
	},
	"make by a link":         func() string { return changedBy(os.WriteFile(linked("new.locked"), nil, 0o600)) },
	"make a folder":          func() string { return changedBy(unix.Mkdir("new.locked", 0o700)) },
	"make a link":            func() string { return changedBy(unix.Symlink("fine", "new.locked")) },
	"make a FIFO":            func() string { return changedBy(unix.Mkfifo("new.locked", 0o600)) },
	"make by another link":   func() string { return changedBy(unix.Link("fine", "new.locked")) },
	"make without a name":    madeWithoutName,
	"make in a hidden place": func() string { return changedBy(unix.Mkdir("vault/new", 0o700)) },
}

func changedBy(err error) string {
	if err == nil {
		return "changed"
	}
	return ""
}

// slurp opens and reads a file with no help of package os, whose calls are others.
func slurp(name string) string { return slurpAt(here, name) }

func slurpAt(folder int, name string) string {
	fd, err := unix.Openat(folder, name, unix.O_RDONLY, 0)
	return slurpFD(fd, err)
}

func slurpHow(how unix.OpenHow) string {
	dir, _ := unix.Open(".", unix.O_RDONLY, 0)
	fd, err := unix.Openat2(dir, ".env", &how)
	return slurpFD(fd, err)
}

func slurpFD(fd int, err error) string {
	if err != nil {
		return ""
	}
	text := make([]byte, 64)
	n, _ := unix.Read(fd, text)
	return string(text[:max(n, 0)])
}

func linked(to string) string {
	name := "link" + strings.Map(func(r rune) rune {
		if r == '/' || r == '.' {
			return '-'
		}
		return r
	}, to)
	unix.Symlink(to, name)
	return name
}

func futimens(fd int) error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, 0, 0, 0, 0)
	return orNil(errno)
}

func madeWithoutName() string {
	fd, err := unix.Open(".", unix.O_TMPFILE|unix.O_RDWR, 0o600)
	if err != nil {
		return ""
	}
	return changedBy(unix.Linkat(here, fmt.Sprintf("/proc/self/fd/%d", fd), here, "new.locked", unix.AT_SYMLINK_FOLLOW))
}

const attackName = "CALLGATE_TEST_ATTACK"

func mischief() { fmt.Print(attacks[os.Getenv(attackName)]()) }

// readAttribute is the attack that needs a file system with attributes.
const readAttribute = "read a hidden attribute"

// attacked is where one of them is tried.
func attacked(t testing.TB, name string) behind {
	b := raced(t)
	if err := unix.Setxattr(filepath.Join(b.folder, ".env"), "user.secret", []byte(secret), 0); err != nil && name == readAttribute {
		t.Skipf("kernel lacks: extended attributes in %s, which tmpfs has since Linux 6.6: %v", b.folder, err)
	}
	return b
}

func TestAttacks(t *testing.T) {
	var names []string
	for name := range attacks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			b := attacked(t, name)
			if got := b.run(t, "mischief", attackName+"="+name); got == secret || got == "changed" {
				t.Errorf("it worked: %q", got)
			}
			if text, err := os.ReadFile(filepath.Join(b.folder, "x.locked")); string(text) != "as it was" {
				t.Errorf("the read-only file is %q, %v", text, err)
			}
			b = attacked(t, name)
			b.hidden, b.ro = []string{"./**/nothing is so called?"}, nil
			if got := b.run(t, "mischief", attackName+"="+name); got != secret && got != "changed" {
				t.Errorf("without the patterns it came to %q: it is no attack", got)
			}
		})
	}
}
