package probe

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestCures(t *testing.T) {
	wrap := func(errno syscall.Errno) error { return fmt.Errorf("clone the process: %w", errno) }
	users := func(err error, here Surroundings) string { return cureUserNamespaces(err, here) }
	since := func(err error, here Surroundings) string { return commonCure("Linux 5.12", err, here) }
	always := func(err error, here Surroundings) string { return commonCure("", err, here) }
	tests := []struct {
		name string
		cure func(error, Surroundings) string
		err  error
		here Surroundings
		want string // part of the advice
	}{
		{"old kernel", since, syscall.ENOSYS, Surroundings{}, "Linux 5.12 or newer"},
		{"default Docker", since, syscall.EPERM, Surroundings{Filters: 1}, "seccomp=unconfined"},
		{"Docker or old", since, syscall.ENOSYS, Surroundings{Filters: 1}, "Linux 5.12 or newer"},
		{"no privilege", always, syscall.EPERM, Surroundings{}, "run as root"},
		{"filter, any kernel", always, syscall.EPERM, Surroundings{Filters: 2}, "seccomp=unconfined"},
		{"built without", always, syscall.EINVAL, Surroundings{}, "a kernel built with it"},

		{"Debian's switch", users, wrap(syscall.EPERM), Surroundings{UnprivilegedUserns: "0"}, "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"Ubuntu 24.04", users, wrap(syscall.EACCES), Surroundings{UnprivilegedUserns: "1", AppArmorUserns: "1"}, "apparmor_restrict_unprivileged_userns=0"},
		{"RHEL 7's switch", users, wrap(syscall.ENOSPC), Surroundings{MaxUserns: "0"}, "user.max_user_namespaces=15000"},
		{"too deep", users, wrap(syscall.ENOSPC), Surroundings{MaxUserns: "9000"}, "32"},
		{"built without", users, wrap(syscall.EINVAL), Surroundings{}, "CONFIG_USER_NS"},
		{"default Docker", users, wrap(syscall.EPERM), Surroundings{Filters: 1, Container: "docker"}, "seccomp=unconfined"},
		{"chroot", users, wrap(syscall.EPERM), Surroundings{Chroot: true}, "outside of the chroot"},
		{"container's AppArmor", users, wrap(syscall.EPERM), Surroundings{Container: "docker"}, "apparmor=unconfined"},
		{"no /proc", users, wrap(syscall.EPERM), Surroundings{NoProc: true}, "mount /proc"},
		{"default podman", users, syscall.EROFS, Surroundings{Filters: 1, Container: "podman", MaskedProc: true}, "podman run --security-opt unmask=ALL"},
		{"Docker, seccomp=unconfined", users, syscall.EROFS, Surroundings{Container: "docker", MaskedProc: true}, "docker run --security-opt systempaths=unconfined"},
		{"Docker masks /proc as well", users, wrap(syscall.EPERM), Surroundings{Filters: 1, Container: "docker", MaskedProc: true}, "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined"},
		{"Kubernetes", users, wrap(syscall.EPERM), Surroundings{Filters: 1, Container: "kubernetes"}, "securityContext: seccompProfile: {type: Unconfined}"},
		{"root without capabilities", users, fmt.Errorf("write \"/proc/self/uid_map\": %w", syscall.EPERM), Surroundings{Filters: 1}, "--cap-add SETFCAP"},
		{"unknown", users, wrap(syscall.EPERM), Surroundings{}, "administrator"},

		{"Docker with CAP_SYS_ADMIN", curePivot, syscall.EPERM, Surroundings{Filters: 1, Privileged: true, MaskedProc: true}, "docker run --security-opt seccomp=unconfined"},
		{"podman's host name", cureUTS, syscall.EPERM, Surroundings{Filters: 1, Container: "podman"}, "podman run --security-opt seccomp=unconfined"},
		{"initramfs", curePivot, syscall.EINVAL, Surroundings{Privileged: true}, "not an initramfs"},
		{"root in a chroot", curePivot, syscall.EINVAL, Surroundings{Privileged: true, Chroot: true}, "outside of the chroot"},

		{"root in a chroot", cureNamespace, syscall.EINVAL, Surroundings{Privileged: true, Chroot: true}, "outside of the chroot"},
		{"root without /proc", cureNamespace, syscall.EINVAL, Surroundings{Privileged: true, NoProc: true}, "mount /proc"},
		{"kernel without the namespace", cureNamespace, syscall.EINVAL, Surroundings{Privileged: true}, "a kernel built with it"},

		{"not in lsm=", cureLandlock, syscall.EOPNOTSUPP, Surroundings{}, "lsm="},
		{"before 5.13", cureLandlock, syscall.ENOSYS, Surroundings{}, "CONFIG_SECURITY_LANDLOCK"},
		{"hidden by a filter", LandlockRules.cure, syscall.ENOSYS, Surroundings{Filters: 1}, "seccomp=unconfined"},
		{"older ABI", cureLandlock, nil, Surroundings{}, "Linux 7.2"},

		{"listener taken", cureFilter, syscall.EBUSY, Surroundings{}, "outside of it"},
		{"no such flag", cureFilter, syscall.EINVAL, Surroundings{}, "CONFIG_SECCOMP_FILTER"},
		{"hidden by a filter", SeccompNotify.cure, syscall.EPERM, Surroundings{Filters: 1}, "seccomp=unconfined"},

		{"terminal switch", cureTIOCSTI, nil, Surroundings{LegacyTIOCSTI: "1"}, "sysctl -w dev.tty.legacy_tiocsti=0"},
		{"terminal, old kernel", cureTIOCSTI, nil, Surroundings{}, "Linux 6.2 or newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cure(tt.err, tt.here); !strings.Contains(got, tt.want) {
				t.Errorf("cure of %v in %+v = %q; want it to say %q", tt.err, tt.here, got, tt.want)
			}
		})
	}
}

func TestMaskedProc(t *testing.T) {
	if PidNamespaces.Check() != nil {
		t.Skip("kernel lacks: pid namespaces, and the advice is about those")
	}
	if got := cureProc(syscall.EPERM, Surroundings{}); !strings.Contains(got, "systempaths=unconfined") {
		t.Errorf("cureProc(EPERM) = %q; want it to unmask /proc", got)
	}
}

func TestReadStatus(t *testing.T) {
	tests := []struct {
		status string
		want   Surroundings
	}{
		{"NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n", Surroundings{}},
		{"NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n", Surroundings{NoNewPrivs: true, Filters: 3}},
		{"Seccomp:\t2\n", Surroundings{Filters: 1}},
		{"Seccomp:\t1\nSeccomp_filters:\t0\n", Surroundings{Filters: 1}},
		{"Name:\tNoNewPrivs: 1\n", Surroundings{}},
	}
	for _, tt := range tests {
		var got Surroundings
		got.readStatus(tt.status)
		if got != tt.want {
			t.Errorf("readStatus(%q) = %+v; want %+v", tt.status, got, tt.want)
		}
	}
}

func TestContainer(t *testing.T) {
	tests := []struct {
		kernel string
		env    map[string]string
		files  map[string]string
		want   string
	}{
		{"6.1.0-amd64", nil, nil, ""},
		{"6.1.0-amd64", nil, map[string]string{"/.dockerenv": ""}, "docker"},
		{"6.1.0-amd64", nil, map[string]string{"/run/.containerenv": ""}, "podman"},
		{"6.1.0-amd64", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, nil, "kubernetes"},
		{"6.1.0-amd64", nil, map[string]string{"/run/systemd/container": "systemd-nspawn"}, "systemd-nspawn"},
		{"6.1.0-amd64", map[string]string{"container": "lxc"}, nil, "lxc"},
		{"5.15.90.1-microsoft-standard-WSL2", nil, nil, "wsl"},
	}
	for _, tt := range tests {
		got := container(tt.kernel,
			func(name string) string { return tt.env[name] },
			func(path string) string { return tt.files[path] },
			func(path string) bool { _, ok := tt.files[path]; return ok })
		if got != tt.want {
			t.Errorf("container(%q, %v, %v) = %q; want %q", tt.kernel, tt.env, tt.files, got, tt.want)
		}
	}
}

func TestHasRootMount(t *testing.T) {
	for mounts, want := range map[string]bool{
		"27 1 254:0 / / rw - ext4 /dev/vda rw\n":               true,
		"22 27 0:21 / /proc rw - proc proc rw\n":               false,
		"30 27 254:0 /jail /jail rw - ext4 /dev/vda rw\nx\n\n": false,
	} {
		if got := hasRootMount(mounts); got != want {
			t.Errorf("hasRootMount(%q) = %v; want %v", mounts, got, want)
		}
	}
}

func TestMasksProc(t *testing.T) {
	for mounts, want := range map[string]bool{
		"22 27 0:21 / /proc rw - proc proc rw\n":                                                  false,
		"22 27 0:21 / /proc rw - proc proc rw\n23 22 0:30 / /proc/sys/fs/binfmt_misc rw - autofs": false,
		"22 27 0:21 / /proc rw - proc proc rw\n23 22 0:21 /sys /proc/sys ro - proc proc rw\n":     true,
		"23 22 0:5 /null /proc/kcore rw - devtmpfs devtmpfs rw\n":                                 true,
		"23 22 0:5 / /processes rw - tmpfs tmpfs rw\n":                                            false,
	} {
		if got := masksProc(mounts); got != want {
			t.Errorf("masksProc(%q) = %v; want %v", mounts, got, want)
		}
	}
}

func TestFindTIOCSTI(t *testing.T) {
	for setting, want := range map[string]bool{"0": true, "1": false, "": false} {
		if got := findTIOCSTI(Surroundings{LegacyTIOCSTI: setting}).Lacks == ""; got != want {
			t.Errorf("with legacy_tiocsti=%q: refused %v; want %v", setting, got, want)
		}
	}
}

func TestLandlockFinding(t *testing.T) {
	tests := []struct {
		abi    int
		detail string
		lacks  string
	}{
		{1, "ABI 1", "rules for moving files between folders, truncating files, TCP ports, device ioctls, abstract sockets and signals, named sockets, UDP ports"},
		{7, "ABI 7", "rules for named sockets, UDP ports"},
		{10, "ABI 10", ""},
		{99, "ABI 99", ""},
	}
	for _, tt := range tests {
		if got := landlockFinding(tt.abi); got.Detail != tt.detail || got.Lacks != tt.lacks {
			t.Errorf("landlockFinding(%d) = %+v; want %q, %q", tt.abi, got, tt.detail, tt.lacks)
		}
	}
}
