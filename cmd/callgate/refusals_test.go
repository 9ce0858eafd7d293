package main

import (
	stdcmp "cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/callgate/callgate/internal/sys"
)

// refusals lists calls and the policies that refuse them. A policy extends
// "default" where it doesn't say otherwise.
var refusals = []struct{ name, policy, call string }{
	{"no rule allows it", "", "unshare CLONE_NEWUSER"},
	{"a rule looks at its argument", "", "ioctl 0 TIOCSTI 0"},
	{"a rule of one's own", "syscalls:\n  rules: [{then: EROFS, calls: [mkdirat]}]\n", "mkdirat AT_FDCWD ./new 0777"},
	{"a range of requests", "syscalls:\n  rules: [{then: EPERM, calls: [ioctl], when: [{arg: cmd, between: [0x8900, 0x89ff]}]}]\n", "ioctl 0 SIOCGIFCONF 0"},
	{"a negative number", "syscalls:\n  rules: [{then: EPERM, calls: [kill], when: [{arg: pid, equals: -1}]}]\n", "kill -1 0"},
	{"another process", "syscalls:\n  rules: [{then: EPERM, calls: [kill], when: [{arg: sig, not: SIGCHLD}]}]\n", "kill 1 SIGTERM"},
	{"flags of a namespace", "", "clone CLONE_NEWPID|SIGCHLD 0 0 0 0"},
	{"flags behind a pointer", "", "clone3 0 0"},
	{"a ring of calls that no filter sees", "", "io_uring_setup 8 0"},
	{"newer than the baseline", "", "open_tree_attr AT_FDCWD / 0 0 0"},
	{"one of a list of numbers", "", "personality 0x4"},
	{"a socket family", "", "socket AF_PACKET SOCK_RAW 3"},
	{"another protocol of a family", "", "socket AF_NETLINK SOCK_RAW NETLINK_AUDIT"},
	{"a family without a policy's word", "network:\n  families: [-inet]\n", "socket AF_INET SOCK_DGRAM 0"},
	{"tracing", "", "ptrace PTRACE_ATTACH 1 0 0"},
	{"another's memory", "", "process_vm_readv 1 0 0 0 0 0"},
	{"a mount", "", "mount /none /tmp /tmpfs 0 0"},
	{"the new mount calls", "", "move_mount AT_FDCWD / AT_FDCWD /tmp 0"},
	{"keys", "", "keyctl KEYCTL_GET_KEYRING_ID -3 0 0 0"},
	{"programs in the kernel", "", "bpf BPF_PROG_LOAD 0 0"},
	{"entering a namespace", "", "setns 0 CLONE_NEWNET"},
	{"another root", "", "chroot /tmp"},
	{"counters", "", "perf_event_open 0 0 -1 -1 0"},
	{"a new kernel", "", "kexec_file_load -1 -1 0 0 0"},
	{"the clock", "", "settimeofday 0 0"},
	{"unmounting", "", "umount2 /tmp MNT_DETACH"},
	{"page faults served by a program", "", "userfaultfd O_CLOEXEC"},
	{"comparing processes", "", "kcmp 1 1 KCMP_VM 0 0"},
	{"another's memory, written", "", "process_vm_writev 1 0 0 0 0 0"},
	{"a file by its handle", "", "open_by_handle_at -1 0 O_RDONLY"},
	{"another's descriptor", "", "pidfd_getfd -1 0 0"},
	{"a device", "syscalls:\n  rules: [{then: EPERM, calls: [mknodat]}]\n", "mknodat AT_FDCWD ./device S_IFCHR|0600 0x103"},
	{"a FIFO", "syscalls:\n  rules: [{then: EPERM, calls: [mknodat]}]\n", "mknodat AT_FDCWD ./fifo S_IFIFO|0600 0"},
	{"secret memory", "", "memfd_secret O_CLOEXEC"},
	{"the kernel's log", "", "syslog SYSLOG_ACTION_READ_ALL 0 0"},
	{"another time", "", "clock_settime CLOCK_REALTIME 0"},
	{"watching all files", "", "fanotify_init FAN_CLASS_NOTIF O_RDONLY"},
	{"swapping", "", "swapon ./secret 0"},
	{"a file system of one's own", "", "fsopen /tmpfs FSOPEN_CLOEXEC"},
	{"a mount's attributes", "", "mount_setattr AT_FDCWD /tmp AT_RECURSIVE 0 0"},
	{"a tree of mounts", "", "open_tree AT_FDCWD /tmp OPEN_TREE_CLONE"},
	{"a new key", "", "add_key ./user ./x 0 0 0"},
	{"a key asked for", "", "request_key ./user ./x 0 0"},
	{"several namespaces", "", "setns 0 CLONE_NEWNET|CLONE_NEWNS"},
	{"where memory lies", "", "get_mempolicy 0 0 0 0 MPOL_F_MEMS_ALLOWED"},
	{"the host's name", "", "sethostname ./x 1"},
	{"a module", "", "finit_module -1 ./x MODULE_INIT_IGNORE_VERMAGIC"},
	{"a hidden file", "files:\n  hidden: [/etc/passwd]\n", "openat AT_FDCWD /etc/passwd O_RDONLY 0"},
	{"a hidden file of one's own", "files:\n  hidden: [./secret]\n", "openat AT_FDCWD ./secret O_RDONLY 0"},
	{"a file outside of the tree", "", "openat AT_FDCWD OUTSIDE/file O_RDONLY 0"},
	{"a name that YAML would take for something else", "", "openat AT_FDCWD OUTSIDE/b:[c],{d},#e O_RDONLY 0"},
	{"writing to what is read-only", "files:\n  exec: [.]\n", "openat AT_FDCWD ./made O_WRONLY|O_CREAT 0644"},
	{"a folder in what is read-only", "files:\n  ro: [.]\n", "mkdirat AT_FDCWD ./new 0777"},
	{"removing what is read-only", "files:\n  ro: [.]\n", "unlinkat AT_FDCWD ./secret 0"},
	{"executing where nothing may be", "files:\n  ro: [.]\n", "execve ./secret 0 0"},
	{"connecting without a network", "", "connect tcp 192.0.2.1:443 16"},
	{"connecting to nobody at home", "", "connect tcp :443 16"},
	{"what permissions refuse", "", "execve /etc/passwd 0 0"},
	{"a port that isn't listed", "network:\n  mode: host\n  connect: [80]\n", "connect tcp :443 16"},
	{"binding a port that isn't listed", "network:\n  mode: host\n  bind: [8080]\n", "bind tcp :8081 16"},
	{"a port for the privileged", "", "bind tcp :80 16"},
	{"listening under bind: []", "network:\n  mode: host\n  bind: []\n", "listen tcp 1"},
	{"a protocol that ports don't reach", "network:\n  mode: host\n  connect: [80]\n", "socket AF_INET SOCK_STREAM IPPROTO_SCTP"},
}

// scene is where the calls are made.
type scene struct{ dir, outside string }

func newScene(t *testing.T) scene {
	t.Helper()
	s := scene{t.TempDir(), t.TempDir()}
	for _, name := range []string{s.dir + "/secret", s.outside + "/file", s.outside + "/b:[c],{d},#e"} {
		if err := os.WriteFile(name, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run makes the call behind a policy, and returns what --explain says.
func (s scene) run(t *testing.T, policy, call string) string {
	t.Helper()
	program, err := exec.LookPath("call")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "--explain", "--ro", program, "--policy", policy, "--", program}
	args = append(args, strings.Fields(strings.ReplaceAll(call, "OUTSIDE", s.outside))...)
	cmd := exec.Command("callgate", args...)
	cmd.Dir = s.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatal(err)
		}
	}
	return stderr.String()
}

// write adds a policy to the scene.
func (s scene) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// cureOf takes the addition from what --explain says of one call.
func cureOf(explained string) string {
	_, cure, _ := strings.Cut(explained, "  to allow it, add\n")
	var lines strings.Builder
	for line := range strings.Lines(cure) {
		text, ok := strings.CutPrefix(line, "    ")
		if !ok {
			break
		}
		lines.WriteString(text)
	}
	return lines.String()
}

// onlyCall takes what is said of one call: the program's runtime makes others.
func onlyCall(explained, call string) string {
	var said strings.Builder
	inside := false
	for line := range strings.Lines(explained) {
		if !strings.HasPrefix(line, "  ") {
			inside = strings.Contains(line, `× "call": `+call+"(")
		}
		if inside {
			said.WriteString(line)
		}
	}
	return said.String()
}

// What differs from run to run: addresses, and how many threads the runtime makes.
var addresses, counts = regexp.MustCompile(`0x[0-9a-f]{6,}`), regexp.MustCompile(`(?m)^\d+ ×`)

// Of each refusal --explain names the call, the reason, the line and the smallest
// change; and with that change, nothing refuses the call any more.
func TestRefusalsExplained(t *testing.T) {
	needs(t, "mount namespaces", "seccomp notification", "landlock")
	const golden = "testdata/refusals.txt"
	archive := &txtar.Archive{Comment: []byte("What --explain says of calls that are refused. TestRefusalsExplained makes them.\n\n")}
	want, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Files) != len(refusals) && !*update {
		t.Fatalf("%s has %d refusals; want %d", golden, len(want.Files), len(refusals))
	}
	for i, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.policy, "mode: host") {
				needsPorts(t)
			}
			s := newScene(t)
			name := strings.Fields(c.call)[0]
			said := onlyCall(s.run(t, s.write(t, "policy.yaml", "extends: [default]\n"+c.policy), c.call), name)
			text := "policy " + strings.ReplaceAll(strings.TrimSpace(stdcmp.Or(c.policy, "default")), "\n", "\n       ") + "\n" + said
			text = strings.NewReplacer(s.outside, "OUTSIDE", s.dir, ".").Replace(counts.ReplaceAllString(addresses.ReplaceAllString(text, "ADDRESS"), "N ×"))
			archive.Files = append(archive.Files, txtar.File{Name: c.name, Data: []byte(text)})
			if !*update && (want.Files[i].Name != c.name || string(want.Files[i].Data) != text) {
				t.Errorf("%s, not %s (-want +got):\n%s", c.name, want.Files[i].Name, cmp.Diff(string(want.Files[i].Data), text))
			}
			cure := cureOf(said)
			if cure == "" {
				return // the golden shows why
			}
			s.write(t, "cured.yaml", "extends: [./policy.yaml]\n"+cure)
			if again := onlyCall(s.run(t, "cured.yaml", c.call), name); again != "" {
				t.Errorf("with\n%sit is still refused:\n%s", cure, again)
			}
		})
	}
	if *update {
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// needs skips where the kernel lacks a feature, as doctor names it.
func needs(t *testing.T, names ...string) {
	t.Helper()
	for _, f := range features() {
		if slices.Contains(names, f.Name) {
			if err := f.Check(); err != nil {
				t.Skipf("kernel lacks: %v", err)
			}
		}
	}
}

// needsPorts skips where Landlock knows no ports.
func needsPorts(t *testing.T) {
	t.Helper()
	const ports = 4
	if abi, _ := sys.LandlockABI(); abi < ports { // 0 if there is none
		t.Skipf("kernel lacks: Landlock's rules for ports (ABI %d); it has ABI %d", ports, abi)
	}
}
