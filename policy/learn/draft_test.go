package learn

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// everything is a Place where each file is still there.
var everything = Place{Target: here, Exists: func(string) bool { return true }, Ports: true}

// learnt adds what a ledger has to a document, as callgate learn does.
func learnt(t *testing.T, text []byte, l *Ledger, place Place) (string, *policy.Policy, []string) {
	t.Helper()
	merged, err := document.Load(func(string) ([]byte, error) { return text, nil }, "app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := l.Draft(merged, place)
	if err != nil {
		t.Fatal(err)
	}
	out, err := document.Amend("app.yaml", text, draft.Additions)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), parsed(t, out), draft.Notes
}

// entries lists the files of a policy: "rx ~/bin".
func entries(p *policy.Policy) (out []string) {
	access := map[string]string{}
	for _, list := range []struct {
		letter string
		paths  []policy.Path
	}{{"r", p.Files.ReadOnly}, {"w", p.Files.ReadWrite}, {"x", p.Files.Exec}} {
		for _, path := range list.paths {
			text := path.Text
			if path.Optional {
				text = "-" + text
			}
			access[text] += list.letter
		}
	}
	for path, letters := range access {
		out = append(out, letters+" "+path)
	}
	slices.Sort(out)
	return out
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []File
		want  []string
		gone  []string // what isn't there after the run
	}{
		{name: "nothing"},
		{
			name: "each by what was done with it",
			files: []File{
				{Path: "/etc/passwd", Use: Read},
				{Path: "/srv/data/set/x", Use: Look},
				{Path: "/usr/bin/cat", Use: Read | Execute},
				{Path: "/home/ann/work/log", Use: Write},
				{Path: "/home/ann/.gitconfig", Use: Read},
			},
			want: []string{"r /etc/passwd", "r /srv/data/set/x", "r ~/.gitconfig", "w ./log", "x /usr/bin/cat"},
		},
		{
			name:  "a folder that was listed shows what is in it",
			files: []File{{Path: "/usr/lib/git-core", Folder: true, Use: List}, {Path: "/usr/lib/git-core/a", Use: Read}, {Path: "/usr/lib/git-core/b", Use: Execute}},
			want:  []string{"r /usr/lib/git-core", "x /usr/lib/git-core/b"},
		},
		{
			name:  "a folder that changes is writable with all that is in it",
			files: []File{{Path: "/home/ann/work", Folder: true, Use: Change}, {Path: "/home/ann/work/a.out", Use: Make}, {Path: "/home/ann/work/a.out", Use: Execute}},
			want:  []string{"wx ."},
		},
		{
			name:  "many files of a folder are the folder",
			files: many(20, "/usr/share/zoneinfo/zone%d", Read),
			want:  []string{"r /usr/share/zoneinfo"},
		},
		{
			name:  "programs are not",
			files: many(20, "/usr/bin/program%02d", Execute),
			want:  strings.Split(strings.TrimSuffix(repeat(20, "x /usr/bin/program%02d,"), ","), ","),
		},
		{
			name:  "nor what lies beside secrets",
			files: append(many(10, "/home/ann/.ssh/key%d", Read), many(10, "/home/ann/file%d", Read)...),
			want:  strings.Split(strings.TrimSuffix(repeat(10, "r ~/.ssh/key%d,")+repeat(10, "r ~/file%d,"), ","), ","),
		},
		{
			name:  "a secret that was only looked at is not granted",
			files: []File{{Path: "/home/ann/.ssh", Folder: true, Use: List}, {Path: "/home/ann/.ssh/id_ed25519", Use: Look}, {Path: "/home/ann/.ssh/config", Use: Read}},
			want:  []string{"r ~/.ssh/config"},
		},
		{
			name:  "folders that hold too much are not granted for being listed",
			files: []File{{Path: "/", Folder: true, Use: List}, {Path: "/etc", Folder: true, Use: List}, {Path: "/home/ann", Folder: true, Use: List}, {Path: "/usr", Folder: true, Use: Look}},
		},
		{
			name: "what was made in one may be missing",
			files: []File{
				{Path: "/home/ann/.cache", Folder: true, Use: Change},
				{Path: "/home/ann/.cache/go", Use: Make},
				{Path: "/home/ann/.cache/go", Folder: true, Use: Change},
				{Path: "/home/ann/.cache/go/x", Use: Make},
			},
			want: []string{"w -~/.cache/go"},
		},
		{
			name:  "what is of the moment may be missing",
			files: []File{{Path: "/sys/fs/cgroup/memory/12a39711ec39/memory.limit_in_bytes", Use: Read}, {Path: "/run/nscd/socket", Use: Write}},
			want:  []string{"r -/sys/fs/cgroup/memory/12a39711ec39/memory.limit_in_bytes", "w -/run/nscd/socket"},
		},
		{
			name:  "what is gone is not granted",
			files: []File{{Path: "/srv/data/set/tmp", Use: Read}, {Path: "/srv/data/set/x", Use: Read}},
			gone:  []string{"/srv/data/set/tmp"},
			want:  []string{"r /srv/data/set/x"},
		},
		{
			name:  "a link stands for what it leads to",
			files: []File{{Path: "/lib/libz.so.1", Real: "/usr/lib/libz.so.1.2", Use: Read}, {Path: "/usr/lib/libz.so.1.2", Opened: true, Use: Read | Execute}},
			want:  []string{"x /lib/libz.so.1"},
		},
		{
			name: "in a folder as well, where it leads out of that",
			files: append(many(20, "/usr/share/java/x%d", Read),
				File{Path: "/usr/share/java/out", Real: "/srv/data/set/out", Use: Read}, File{Path: "/usr/share/java/in", Real: "/usr/share/java/in-1", Use: Read}),
			want: []string{"r /usr/share/java", "r /usr/share/java/out"},
		},
		{
			name: "its own places",
			files: []File{
				{Path: "/proc/self/status", Use: Read},
				{Path: "/dev/null", Use: Write},
				{Path: "/tmp", Folder: true, Use: Change},
				{Path: "/tmp/x", Use: Make},
				{Path: "/tmp/x", Use: Read | Write},
				{Path: "/tmp/input", Use: Read},
			},
			want: []string{"r /tmp/input"},
		},
		{
			name: "a program made and executed in /tmp",
			files: []File{
				{Path: "/tmp", Folder: true, Use: Change},
				{Path: "/tmp/build", Use: Make},
				{Path: "/tmp/build", Folder: true, Use: Change},
				{Path: "/tmp/build/test", Use: Make},
				{Path: "/tmp/build/test", Use: Read | Execute},
			},
			want: []string{"x /tmp"},
		},
		{
			name:  "what can't be written in a document is its folder's",
			files: []File{{Path: "/srv/data/set/a\nb", Use: Read}, {Path: "/srv/data/set/\xff", Use: Read}, {Path: "/srv/data/other/# a: b", Use: Read}},
			want:  []string{"r /srv/data/other/# a: b", "r /srv/data/set"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLedger(abi.AMD64)
			for _, f := range c.files {
				l.File(f, "test")
			}
			place := Place{Target: here, Exists: func(name string) bool { return !slices.Contains(c.gone, name) }}
			text, p, _ := learnt(t, begun(t), l, place)
			if diff := cmp.Diff(c.want, entries(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, _, _ := learnt(t, []byte(text), l, place)
			if again != text {
				t.Errorf("the same again makes another document:\n%s", cmp.Diff(text, again))
			}
		})
	}
}

func many(n int, format string, use Use) (files []File) {
	for i := range n {
		files = append(files, File{Path: fmt.Sprintf(format, i), Use: use})
	}
	return files
}

func repeat(n int, format string) (s string) {
	for i := range n {
		s += fmt.Sprintf(format, i)
	}
	return s
}

func callOf(name string, args ...uint64) abi.Call {
	number, _ := abi.AMD64.Number(name)
	c := abi.Call{Arch: abi.AMD64, Nr: number}
	copy(c.Args[:], args)
	return c
}

// Calls are allowed with the arguments that were seen, and with no others.
func TestCalls(t *testing.T) {
	l := NewLedger(abi.AMD64)
	for _, c := range []abi.Call{
		callOf("openat"), callOf("setsid"), callOf("ioctl", 0, 0x5402), callOf("ioctl", 0, 0x540f), callOf("kill", 1, 15),
		callOf("clone", 0x1200011), callOf("socket", 2, 0x80001, 6), callOf("socket", 16, 3, 0), callOf("setsockopt", 3, 1, 2),
		callOf("mmap", 0, 4096, 5, 2), callOf("mknodat", 0, 0, 0o100644), callOf("prctl", 15),
	} {
		l.Call(c, "test")
	}
	_, p, _ := learnt(t, begun(t), l, everything)
	judge, err := p.Judge(here)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		question string
		allowed  bool
	}{
		{"read", true},
		{"openat", true},
		{"setsid", true},
		{"setpgid", false},
		{"mount", false},
		{"ioctl cmd=TCSETS", true},
		{"ioctl cmd=TIOCGPGRP", true},
		{"ioctl cmd=TIOCSTI", false},
		{"kill sig=SIGTERM", true},
		{"kill sig=SIGKILL", false},
		{"clone flags=SIGCHLD", true},
		{"clone flags=CLONE_VM|CLONE_VFORK|SIGCHLD", true},
		{"clone flags=CLONE_NEWUSER", false},
		{"clone flags=CLONE_THREAD", false},
		{"socket AF_INET SOCK_STREAM IPPROTO_TCP", true},
		{"socket AF_INET SOCK_DGRAM", false},
		{"socket AF_UNIX SOCK_STREAM", false},
		{"socket AF_NETLINK SOCK_RAW NETLINK_ROUTE", true},
		{"socket AF_NETLINK SOCK_RAW NETLINK_AUDIT", false},
		{"setsockopt level=1 optname=2", true},
		{"setsockopt level=1 optname=3", false},
		{"mmap prot=PROT_READ|PROT_EXEC", true},
		{"mmap prot=PROT_READ|PROT_EXEC flags=MAP_ANONYMOUS", false},
		{"mmap prot=7", false},
		{"mmap prot=3", true},
		{"mprotect prot=PROT_EXEC", false},
		{"mprotect prot=1", true},
		{"mknodat mode=0100600", true},
		{"mknodat mode=010600", false},
		{"prctl option=PR_SET_NAME", true},
		{"prctl option=PR_SET_DUMPABLE", false},
	} {
		call, args, _ := strings.Cut(c.question, " ")
		q, err := policy.ParseQuestion(call, strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := judge.Decide(q)
		if err != nil || answer.Action.Lets() != c.allowed {
			t.Errorf("%s: %v (%s), %v; want allowed: %v", c.question, answer.Action, answer.Reason, err, c.allowed)
		}
	}
}

// What a person wrote stays, and decides.
func TestPersonDecides(t *testing.T) {
	const mine = `extends: [strict] # mine
syscalls:
  rules: # mine, too
  - {then: EACCES, calls: [setsid]} # never
files: {hidden: [/etc/passwd]}
network: {mode: host, families: [unix], connect: [80]}
`
	l := NewLedger(abi.AMD64)
	for _, name := range []string{"setsid", "setpgid", "mount", "socket"} {
		l.Call(callOf(name, 2, 1, 0), "test")
	}
	l.File(File{Path: "/etc/passwd", Use: Read}, "test")
	l.Port(Connect, 443, false, "test")
	text, _, notes := learnt(t, []byte(mine), l, everything)
	for _, line := range strings.Split(mine, "\n")[:5] {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%q is gone from\n%s", line, text)
		}
	}
	if !strings.Contains(text, "families: [unix, inet], connect: [80, 443]}") {
		t.Errorf("families or ports are missing:\n%s", text)
	}
	if want := "app.yaml:5 hides /etc/passwd, which was used by test: once: left so"; !slices.Contains(notes, want) {
		t.Errorf("notes %q; want %q", notes, want)
	}
	merged, err := document.Load(func(string) ([]byte, error) { return []byte(text), nil }, "app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused, err := l.Refused(merged, here)
	if want := []string{"app.yaml:4 refuses setsid, which was used by test: once: left so"}; err != nil || !slices.Equal(refused, want) {
		t.Errorf("Refused(...) = %q, %v; want %q", refused, err, want)
	}
}

// What can't be granted, or perhaps should not be, is told.
func TestNotes(t *testing.T) {
	l := NewLedger(abi.AMD64)
	l.File(File{Path: "/home/ann/.ssh/id_ed25519", Use: Read}, "ssh")
	l.File(File{Path: "/dev/kvm", Use: Write}, "qemu")
	l.File(File{Path: "/etc/a\tb", Use: Read}, "sh")
	l.File(File{Path: "/home/ann", Folder: true, Use: Change}, "sh")
	l.Port(Bind, 0, true, "py\nthon")
	l.Port(Bind, 8080, false, "python")
	l.Port(Connect, 40000, true, "python")
	_, _, notes := learnt(t, begun(t), l, everything)
	want := []string{
		`"/etc/a\tb" can't be written in a policy, for a character in it: it is not granted`,
		"~/.ssh/id_ed25519 was used by ssh: once and is granted, although the preset default hides it: look whether it should be",
		"a port that the kernel chose was connected to, by python: once: it will be another the next time: remove connect to allow all",
		"/dev/kvm is a device that a private /dev lacks: it is not granted",
		"/home/ann was changed by sh: once, and holds too much to be granted whole: only what is there now is granted, by name",
	}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What wasn't used goes; the base, what refuses, and comments stay.
func TestTighten(t *testing.T) {
	l := NewLedger(abi.AMD64)
	use := func(names ...string) {
		for _, name := range names {
			l.Call(callOf("ioctl", 0, 0x5402), "a")
			l.Call(callOf(name), "a")
			l.File(File{Path: "/etc/" + name, Use: Read}, "a")
		}
	}
	use("setsid", "setpgid")
	l.File(File{Path: "/home/ann/work", Folder: true, Use: Change}, "a")
	l.Call(callOf("ioctl", 0, 0x540f), "a")
	l.Port(Connect, 80, false, "a")
	l.Port(Connect, 443, false, "a")
	text, _, _ := learnt(t, begun(t), l, everything)
	text = strings.Replace(text, "  rules:\n", "  rules:\n  # never\n  - {then: kill, calls: [mount]}\n", 1)
	l = NewLedger(abi.AMD64)
	use("setsid")
	l.Port(Connect, 80, false, "a")
	doc := parsed(t, []byte(text))
	out, err := document.Remove("app.yaml", []byte(text), l.Unused(doc, everything))
	if err != nil {
		t.Fatal(err)
	}
	tight, p, _ := learnt(t, out, l, everything)
	if diff := cmp.Diff([]string{"r /etc/setsid"}, entries(p)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, want := range []string{"# never\n", "then: kill", "calls: [setsid]", "mode: host\n  connect:\n  - 80 # a: once\n  bind: []\n", "in: [TCGETS", "{arg: cmd, equals: TCSETS}"} {
		if !strings.Contains(tight, want) {
			t.Errorf("no %q in\n%s", want, tight)
		}
	}
	for _, gone := range []string{"setpgid", "TIOCGPGRP", "443"} {
		if strings.Contains(tight, gone) {
			t.Errorf("still %q in\n%s", gone, tight)
		}
	}
}

// A program that names a million files, and makes a call in every way, fills no
// memory and no document.
func TestBounds(t *testing.T) {
	l := NewLedger(abi.AMD64)
	for i := range 300000 {
		l.File(File{Path: fmt.Sprintf("/srv/data/set/%d/%d/%d", i%7, i%1000, i), Use: Read}, fmt.Sprint("p", i))
		if i < 2000 {
			l.Call(callOf("ioctl", 0, uint64(i)), "p")
			l.Port(Connect, uint16(i), false, "p")
			l.File(File{Path: fmt.Sprintf("/etc/%d", i), Use: Read}, "p")
		}
	}
	if l.files.size > maxFiles || len(l.ports[Connect]) > maxPorts+1 {
		t.Errorf("%d files, %d ports are kept", l.files.size, len(l.ports[Connect]))
	}
	_, p, _ := learnt(t, begun(t), l, everything)
	if len(p.Files.ReadOnly) > maxEntries {
		t.Errorf("%d entries", len(p.Files.ReadOnly))
	}
	if !slices.ContainsFunc(p.Files.ReadOnly, func(path policy.Path) bool { return strings.HasPrefix(path.Text, "/srv/data/set") }) {
		t.Errorf("the folder is not among %v", p.Files.ReadOnly[:5])
	}
}

// Whatever a program names, the document stays one, and grants no more than files
// and folders that it named or that hold them.
func FuzzFiles(f *testing.F) {
	f.Add("/etc/a\n- b", "/home/ann/.ssh/id\x00/tmp/x", uint8(4), uint8(32))
	f.Add("/", "/home/ann/work/# x: [", uint8(63), uint8(255))
	f.Fuzz(func(t *testing.T, a, b string, first, second uint8) {
		l := NewLedger(abi.AMD64)
		for i, text := range []string{a, b} {
			use := []uint8{first, second}[i]
			name := path.Clean("/" + text)
			l.File(File{Path: name, Use: Use(use), Folder: use&128 != 0}, text)
		}
		_, p, _ := learnt(t, begun(t), l, everything)
		for _, list := range [][]policy.Path{p.Files.ReadOnly, p.Files.ReadWrite, p.Files.Exec} {
			for _, granted := range list {
				name := everything.expand(granted.Text)
				if !within(path.Clean("/"+a), name) && !within(path.Clean("/"+b), name) {
					t.Errorf("%q and %q grant %q", a, b, name)
				}
			}
		}
	})
}
