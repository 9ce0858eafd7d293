package probe

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/callgate/callgate/internal/sys"
)

// Surroundings are the facts that explain a missing feature. A sysctl that this
// kernel does not have is "".
type Surroundings struct {
	Kernel     string `json:"kernel"`               // what uname -r prints
	Arch       string `json:"arch"`                 // "amd64"
	User       int    `json:"user"`                 // effective user id
	Privileged bool   `json:"privileged,omitempty"` // has CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SETPCAP, so needs no user namespace
	Container  string `json:"container,omitempty"`  // "docker", "podman", "lxc", "kubernetes", "wsl", …
	Filters    int    `json:"filters"`              // seccomp filters already around this process, at least
	NoNewPrivs bool   `json:"noNewPrivs,omitempty"` // already set for this process
	Chroot     bool   `json:"chroot,omitempty"`     // the root folder is not its mount's root
	NoProc     bool   `json:"noProc,omitempty"`     // there is no /proc, so that little can be explained
	MaskedProc bool   `json:"maskedProc,omitempty"` // parts of /proc are covered or read-only, as in a container
	AppArmor   string `json:"apparmor,omitempty"`   // this process's profile

	UnprivilegedUserns string `json:"kernel.unprivileged_userns_clone,omitempty"`
	AppArmorUserns     string `json:"kernel.apparmor_restrict_unprivileged_userns,omitempty"`
	MaxUserns          string `json:"user.max_user_namespaces,omitempty"`
	Yama               string `json:"kernel.yama.ptrace_scope,omitempty"`
	IOUring            string `json:"kernel.io_uring_disabled,omitempty"`
	LegacyTIOCSTI      string `json:"dev.tty.legacy_tiocsti,omitempty"`
}

// Here returns the surroundings of this process, read once.
var Here = sync.OnceValue(func() Surroundings {
	s := Surroundings{
		Kernel:             sys.KernelRelease(),
		Arch:               runtime.GOARCH,
		User:               os.Geteuid(),
		AppArmor:           line("/proc/self/attr/apparmor/current"),
		UnprivilegedUserns: line("/proc/sys/kernel/unprivileged_userns_clone"),
		AppArmorUserns:     line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
		MaxUserns:          line("/proc/sys/user/max_user_namespaces"),
		Yama:               line("/proc/sys/kernel/yama/ptrace_scope"),
		IOUring:            line("/proc/sys/kernel/io_uring_disabled"),
		LegacyTIOCSTI:      line("/proc/sys/dev/tty/legacy_tiocsti"),
	}
	status, _ := os.ReadFile("/proc/self/status")
	s.readStatus(string(status))
	own, err := sys.OwnCapabilities()
	s.Privileged = err == nil && own.Effective.MakesNamespaces()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	s.NoProc = err != nil
	s.Chroot = err == nil && !hasRootMount(string(mounts))
	s.MaskedProc = masksProc(string(mounts))
	s.Container = container(s.Kernel, os.Getenv, line, exists)
	return s
})

// readStatus takes what proc_pid_status(5) has on privileges.
func (s *Surroundings) readStatus(status string) {
	for row := range strings.Lines(status) {
		name, value, _ := strings.Cut(row, ":")
		value = strings.TrimSpace(value)
		n, _ := strconv.Atoi(value)
		switch name {
		case "NoNewPrivs":
			s.NoNewPrivs = n == 1
		case "Seccomp":
			if n != 0 {
				s.Filters = max(s.Filters, 1) // a kernel before 5.9 does not count them
			}
		case "Seccomp_filters":
			s.Filters = max(s.Filters, n)
		}
	}
}

// hasRootMount tells whether something is mounted at "/": a chroot to a common
// folder sees no such line.
func hasRootMount(mountinfo string) bool {
	for row := range strings.Lines(mountinfo) {
		if fields := strings.Fields(row); len(fields) > 4 && fields[4] == "/" {
			return true
		}
	}
	return false
}

// masksProc tells whether anything lies on a part of /proc. The mounts that
// systemd makes for binfmt_misc cover nothing: their folder is there for them.
func masksProc(mountinfo string) bool {
	for row := range strings.Lines(mountinfo) {
		fields := strings.Fields(row)
		if len(fields) > 4 && strings.HasPrefix(fields[4], "/proc/") && fields[4] != "/proc/sys/fs/binfmt_misc" {
			return true
		}
	}
	return false
}

// container names the container engine around this process, as far as the
// marks that engines leave tell.
func container(kernel string, getenv, line func(string) string, exists func(string) bool) string {
	switch {
	case exists("/.dockerenv"):
		return "docker"
	case exists("/run/.containerenv"):
		return "podman"
	case getenv("KUBERNETES_SERVICE_HOST") != "":
		return "kubernetes"
	case line("/run/systemd/container") != "":
		return line("/run/systemd/container")
	case getenv("container") != "":
		return getenv("container")
	case strings.Contains(strings.ToLower(kernel), "microsoft"):
		return "wsl"
	}
	return ""
}

// line returns a file's first line, or "".
func line(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSpace(first)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
