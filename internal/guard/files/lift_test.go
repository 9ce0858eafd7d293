package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// lifting answers for whoever is asked: it lifts what yes says, after it did what
// it wants to the machine's files meanwhile.
func lifting(mux gate.Handler, yes func(*gate.Refusal) (allowed, forGood bool)) gate.Handler {
	return gate.HandlerFunc(func(ctx context.Context, t *gate.Trap) gate.Verdict {
		verdict := mux.Handle(ctx, t)
		refusal, ok := errors.AsType[*gate.Refusal](verdict.Err())
		if !ok {
			return verdict
		}
		if refusal.Release != nil {
			defer refusal.Release()
		}
		if refusal.File == nil {
			return verdict
		}
		if allowed, forGood := yes(refusal); allowed && refusal.Lift != nil {
			return refusal.Lift(forGood)
		}
		return verdict
	})
}

// without is what the stand-in for a policy says in these tests: it hides files
// named b.
func without(path string, _ policy.Access, _ bool) (event.Why, string) {
	hidden := ""
	if strings.HasSuffix(path, "/b") {
		hidden = "policy:1"
	}
	return event.Why{Text: path + " is withheld"}, hidden
}

// outside are files that the attackers' file tree does not have.
func outside(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	os.Chmod(folder, 0o777)
	os.Chmod(filepath.Dir(folder), 0o755)
	for name, text := range map[string]string{"a": "harmless", "b": secret, "folder/c": "harmless"} {
		put(t, folder, name, text)
	}
	if err := unix.Mkfifo(filepath.Join(folder, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	return folder
}

// liftOutside, in the environment, is the folder outside.
const liftOutside = "CALLGATE_TEST_OUTSIDE"

// lifts are what programs do with files that they are to get: each returns what it
// met, in a line.
var lifts = map[string]func(folder string) string{
	"read": func(f string) string { return read(f + "/a") },
	"read another by its link": func(f string) string {
		unix.Symlink(f+"/a", "link")
		return read("link")
	},
	"look, then read": func(f string) string {
		var stat unix.Stat_t
		var more unix.Statx_t
		errs := []error{
			unix.Stat(f+"/a", &stat), unix.Statx(here, f+"/a", 0, unix.STATX_ALL, &more), unix.Lstat(f+"/a", &stat),
			unix.Access(f+"/a", unix.R_OK), unix.Faccessat(here, f+"/a", unix.F_OK, 0),
		}
		text := make([]byte, 10)
		_, err := unix.Readlink(f+"/a", text)
		return fmt.Sprint(errs, stat.Size, more.Size, err, read(f+"/a"))
	},
	"read what is in a folder": func(f string) string {
		var stat unix.Stat_t
		return fmt.Sprint(unix.Stat(f, &stat), read(f+"/a"), read(f+"/folder/c"), read(f+"/b"))
	},
	"read twice":          func(f string) string { return read(f+"/a") + " " + read(f+"/a") },
	"read a FIFO":         func(f string) string { return read(f + "/fifo") },
	"read a folder":       func(f string) string { return read(f + "/folder") },
	"read a device":       func(string) string { return read("/dev/kmsg") },
	"read without a name": func(f string) string { return read(f + "/none") },
	"read from a folder": func(f string) string {
		fd, err := unix.Open(f, unix.O_PATH, 0)
		unix.Close(fd)
		return outcome(err)
	},
	"flags": func(f string) string {
		fd, err := unix.Open(f+"/a", unix.O_RDWR|unix.O_APPEND|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return outcome(err)
		}
		status, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		own, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		plain, err := unix.Open(f+"/a", unix.O_RDONLY, 0)
		if err != nil {
			return outcome(err)
		}
		plainStatus, _ := unix.FcntlInt(uintptr(plain), unix.F_GETFL, 0)
		plainOwn, _ := unix.FcntlInt(uintptr(plain), unix.F_GETFD, 0)
		const shown = unix.O_ACCMODE | unix.O_APPEND | unix.O_NONBLOCK
		return fmt.Sprint(status&shown == unix.O_RDWR|unix.O_APPEND|unix.O_NONBLOCK, own, plainStatus&shown, plainOwn)
	},
	"write and read": func(f string) string {
		return outcome(os.WriteFile(f+"/new", []byte("made"), 0o600)) + " " + read(f+"/new")
	},
	"no more than to read": func(f string) string {
		fd, err := unix.Open(f+"/a", unix.O_RDONLY, 0)
		if err != nil {
			return outcome(err)
		}
		own := fmt.Sprintf("/proc/self/fd/%d", fd)
		var done []string
		for name, err := range map[string]error{
			"write":      writeTo(fd),
			"reopen":     reopen(own, unix.O_RDWR),
			"empty":      reopen(own, unix.O_RDONLY|unix.O_TRUNC),
			"truncate":   unix.Truncate(own, 0),
			"fchmod":     unix.Fchmod(fd, 0o600),
			"chmod":      unix.Chmod(own, 0o600),
			"fchown":     unix.Fchown(fd, os.Getuid(), os.Getgid()),
			"futimens":   futimens(fd),
			"utimens":    unix.UtimesNanoAt(here, own, []unix.Timespec{{Sec: 1}, {Sec: 1}}, 0),
			"fsetxattr":  unix.Fsetxattr(fd, "user.x", []byte("1"), 0),
			"setxattr":   unix.Setxattr(own, "user.x", []byte("1"), 0),
			"link":       unix.Linkat(here, own, here, "linked", unix.AT_SYMLINK_FOLLOW),
			"execute":    unix.Exec(own, []string{"x"}, nil),
			"neighbours": reopen(own+"/../b", unix.O_RDONLY),
		} {
			if err == nil {
				done = append(done, name)
			}
		}
		return fmt.Sprint("done: ", done)
	},
}

func writeTo(fd int) error {
	_, err := unix.Write(fd, []byte("x"))
	return err
}

func reopen(name string, flags int) error {
	fd, err := unix.Open(name, flags, 0)
	unix.Close(fd)
	return err
}

func outcome(err error) string {
	if err == nil {
		return "done"
	}
	errno, _ := errors.AsType[unix.Errno](err)
	return unix.ErrnoName(errno)
}

func read(name string) string {
	fd, err := unix.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return unix.ErrnoName(err.(unix.Errno))
	}
	defer unix.Close(fd)
	text := make([]byte, 64)
	n, err := unix.Read(fd, text)
	if err != nil {
		return unix.ErrnoName(err.(unix.Errno))
	}
	return string(text[:n])
}

func liftOne() { fmt.Print(lifts[os.Getenv(raceNames)](os.Getenv(liftOutside))) }

// What is allowed is done, as it was asked for and no more; what nobody can allow
// is not.
func TestLifts(t *testing.T) {
	for name, c := range map[string]struct {
		want    string
		asked   []string
		forGood bool
	}{
		"read":                     {"harmless", []string{"read a"}, false},
		"read another by its link": {"harmless", []string{"read a"}, false},
		"look, then read":          {"[<nil> <nil> <nil> <nil> <nil>] 8 8 invalid argumentharmless", []string{"look at, and read a"}, false},
		"read twice":               {"harmless harmless", []string{"read a", "read a"}, false},
		"read a FIFO":              {"ENOENT", nil, false},
		"read a folder":            {"ENOENT", []string{"read folder"}, false},
		"read a device":            {"ENOENT", nil, false},
		"read without a name":      {"ENOENT", nil, false},
		"read from a folder":       {"ENOENT", nil, false},
		"flags":                    {"true 1 0 0", []string{"read and write a", "read a"}, false},
		"write and read":           {"done made", []string{"create new", "read new"}, false},
		"no more than to read":     {"done: []", []string{"read a"}, false},
	} {
		for _, forGood := range []bool{false, true} {
			t.Run(fmt.Sprint(name, forGood), func(t *testing.T) {
				folder := outside(t)
				var asked []string
				b := behind{folder: t.TempDir(), mounts: true, lift: func(r *gate.Refusal) (bool, bool) {
					asked = append(asked, r.File.Access+" "+strings.TrimPrefix(r.File.Path, folder+"/"))
					return r.File.Access != "read and write" || name == "flags", forGood
				}}
				os.Chmod(b.folder, 0o755)
				if got := b.run(t, "lift", raceNames+"="+name, liftOutside+"="+folder); got != c.want {
					t.Errorf("%q; want %q", got, c.want)
				}
				want := c.asked
				if forGood && (name == "read twice" || name == "write and read" || name == "flags") {
					want = want[:1]
				}
				if name == "no more than to read" {
					asked = asked[:min(len(asked), 1)] // what it tries then is asked about, too
				}
				if fmt.Sprint(asked) != fmt.Sprint(want) {
					t.Errorf("asked about %q; want %q", asked, want)
				}
				if text, _ := os.ReadFile(folder + "/a"); string(text) != "harmless" {
					t.Errorf("the file is %q", text)
				}
			})
		}
	}
}

// All in a folder that was allowed for good is, but for what the policy hides in
// it: that is asked about.
func TestGrantOfAFolder(t *testing.T) {
	folder := outside(t)
	var asked []string
	b := behind{folder: t.TempDir(), mounts: true, lift: func(r *gate.Refusal) (bool, bool) {
		asked = append(asked, r.File.Access+" "+r.File.Path+r.File.Hidden)
		return r.File.Hidden == "", true
	}}
	os.Chmod(b.folder, 0o755)
	got := b.run(t, "lift", raceNames+"=read what is in a folder", liftOutside+"="+folder)
	want := fmt.Sprint([]string{"look at the folder " + folder, "read " + folder + "/bpolicy:1"})
	if got != "<nil>harmlessharmlessENOENT" || fmt.Sprint(asked) != want {
		t.Errorf("%q, asked %q; want %q", got, asked, want)
	}
}

// A folder that is hidden within one that may be written to: what is lent of it
// lies below what Landlock lets be written.
func TestLentFromAHiddenFolder(t *testing.T) {
	own := t.TempDir()
	os.Chmod(own, 0o755)
	put(t, own, "vault/a", "harmless")
	put(t, own, "vault/b", secret)
	lifted := 0
	b := behind{folder: own, hidden: []string{"./vault"}, mounts: true, lift: func(r *gate.Refusal) (bool, bool) {
		if r.File.Access != "read" || r.File.Path != own+"/vault/a" {
			return false, false
		}
		lifted++
		return true, true
	}}
	got := b.run(t, "lift", raceNames+"=no more than to read", liftOutside+"="+own+"/vault")
	if text, _ := os.ReadFile(own + "/vault/a"); got != "done: []" || lifted != 1 || string(text) != "harmless" {
		t.Errorf("%q, lifted %d times, and the file is %q", got, lifted, text)
	}
}

// What is exchanged while somebody is asked yields no other file.
func TestLiftsWhatWasAskedAbout(t *testing.T) {
	for name, c := range map[string]struct {
		lift    string
		between func(folder, own string)
	}{
		"the file, by another": {"read", func(f, _ string) { os.Rename(f+"/b", f+"/a") }},
		"the file, by a link": {"read", func(f, _ string) {
			os.Symlink(f+"/b", f+"/next")
			os.Rename(f+"/next", f+"/a")
		}},
		"the link": {"read another by its link", func(f, own string) {
			os.Symlink(f+"/b", own+"/next")
			os.Rename(own+"/next", own+"/link")
		}},
		"what is not there, by a link":      {"write and read", func(f, _ string) { os.Symlink(f+"/b", f+"/new") }},
		"what is not there, by a hard link": {"write and read", func(f, _ string) { os.Link(f+"/b", f+"/new") }},
		"the folder": {"write and read", func(f, _ string) {
			os.Rename(f, f+"-moved")
			os.Mkdir(f, 0o777)
			os.Rename(f+"-moved/b", f+"/new")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			folder, own := outside(t), t.TempDir()
			os.Chmod(own, 0o755)
			once := false
			b := behind{folder: own, mounts: true, lift: func(r *gate.Refusal) (bool, bool) {
				if !once {
					c.between(folder, own)
				}
				first := !once
				once = true
				return first, true
			}}
			got := b.run(t, "lift", raceNames+"="+c.lift, liftOutside+"="+folder)
			if !once || strings.Contains(got, secret) || c.lift == "read" && got != "ENOENT" || strings.HasPrefix(got, "done") {
				t.Errorf("%q; want another file neither read nor written", got)
			}
			for _, at := range []string{"/a", "/b", "/new"} {
				if text, err := os.ReadFile(folder + at); err == nil && string(text) != secret && string(text) != "harmless" {
					t.Errorf("%s is %q", at, text)
				}
			}
		})
	}
}

// liftRaces exchange names under opens of what may be read and of what may not.
var liftRaces = map[string]func(racer){
	"lift-memory": func(r racer) {
		f := os.Getenv(liftOutside)
		r.memory(unix.O_RDONLY, f+"/a\x00", f+"/b\x00")
	},
	"lift-link": func(r racer) {
		f := os.Getenv(liftOutside)
		swap(func(round int) {
			unix.Symlink(f+[]string{"/a", "/b"}[round%2], "next")
			unix.Rename("next", "link")
		})
		for !r.over() {
			r.try(unix.Open("link", unix.O_RDONLY, 0))
		}
	},
	"lift-link-to-write": func(r racer) {
		f := os.Getenv(liftOutside)
		swap(func(round int) {
			unix.Symlink(f+[]string{"/a", "/b"}[round%2], "next")
			unix.Rename("next", "link")
		})
		for !r.over() {
			fd, err := unix.Open("link", unix.O_WRONLY, 0)
			r.made.Add(1)
			if err == nil {
				unix.Pwrite(fd, []byte("h"), 0) // of harmless
				unix.Close(fd)
			}
		}
	},
}

// One file that is always allowed opens no other, whatever is exchanged.
func TestLiftRaces(t *testing.T) {
	length := os.Getenv(forTime)
	if length == "" {
		length = "400ms"
	}
	for name := range liftRaces {
		t.Run(name, func(t *testing.T) {
			folder := outside(t)
			var lifted atomic.Int64
			b := behind{folder: t.TempDir(), mounts: true, lift: func(r *gate.Refusal) (bool, bool) {
				lifted.Add(1)
				return r.File.Path == folder+"/a", true
			}}
			os.Chmod(b.folder, 0o755)
			output := b.run(t, "race", raceNames+"="+name, forTime+"="+length, liftOutside+"="+folder)
			var won, made int
			if _, err := fmt.Sscanf(output, "won %d of %d", &won, &made); err != nil || won != 0 || made < 2 || lifted.Load() == 0 {
				t.Errorf("%q, %v, asked %d times; want none won, of some", output, err, lifted.Load())
			}
			if text, err := os.ReadFile(folder + "/b"); string(text) != secret {
				t.Errorf("the other file is %q, %v", text, err)
			}
		})
	}
}
