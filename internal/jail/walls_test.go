package jail

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/internal/sys"
)

func TestWithout(t *testing.T) {
	root, user := host{privileged: true}, host{uid: 1000}
	clone := func(errno syscall.Errno) *WallError {
		return &WallError{Wall: User, Step: sys.CloneStep, Errno: errno}
	}
	landlock := &WallError{Wall: Landlock, Step: "create landlock ruleset", Errno: syscall.ENOSYS}
	tests := []struct {
		name   string
		host   host
		spec   Spec
		failed *WallError
		lost   []Wall
		err    string // a part of it
	}{
		{name: "no namespaces for this user", host: user, failed: clone(syscall.EPERM), lost: namespaceWalls},
		{name: "no more of them", host: user, failed: clone(syscall.ENOSPC), lost: namespaceWalls},
		{name: "namespaces without power", host: user, failed: &WallError{Wall: Mounts, Step: sys.PrivateStep, Errno: syscall.EACCES}, lost: namespaceWalls},
		{name: "all are required", host: user, spec: Spec{Full: true}, failed: clone(syscall.EPERM), err: "this user may not create namespaces"},
		{name: "another user in a user namespace", host: user, failed: &WallError{Wall: Mounts, Step: sys.GiveStep + " 0", Errno: syscall.EINVAL}, err: "only root changes users"},
		{name: "no process left", host: user, failed: clone(syscall.EAGAIN), err: "raise the pids limit"},
		{name: "a later step", host: user, failed: &WallError{Wall: Mounts, Step: `open "/usr"`, Errno: syscall.EPERM}, err: `build wall "mount": open "/usr": operation not permitted`},
		{name: "the kernel has no Landlock", host: user, failed: landlock, err: `name "landlock" optional to run without`},
		{name: "and needn't", host: user, spec: Spec{Optional: []Wall{Landlock}}, failed: landlock, lost: []Wall{Landlock}},
		{name: "another wall is optional", host: user, spec: Spec{Optional: []Wall{Network}}, failed: landlock, err: "landlock"},
		{name: "no wall at all", host: root, failed: &WallError{Step: `enter folder "/x"`, Errno: syscall.ENOENT}, err: `enter folder "/x": no such file or directory`},
		{name: "withheld from a writable folder", host: user, spec: Spec{Mounts: []Mount{
			{Kind: Bind, Target: "/work", Access: Read | Write, Folder: true}, {Kind: Hidden, Target: "/work/secret"},
		}}, failed: clone(syscall.EPERM), err: `withhold "/work/secret" inside "/work", which is writable: only mounts can`},
		{name: "withheld from a readable folder", host: user, spec: Spec{Mounts: []Mount{
			{Kind: Bind, Target: "/etc", Access: Read, Folder: true}, {Kind: Hidden, Target: "/etc/shadow"},
		}}, failed: clone(syscall.EPERM), lost: namespaceWalls},
		{name: "a container's /proc/sys", host: user, failed: &WallError{Wall: User, Step: `open "/proc/sys/user/max_user_namespaces"`, Errno: syscall.EROFS}, lost: namespaceWalls},
		{name: "all are required in a container", host: user, spec: Spec{Full: true}, failed: &WallError{Wall: User, Step: `open "/proc/sys/user/max_user_namespaces"`, Errno: syscall.EROFS}, err: "namespaces can't be used in full here"},
		{name: "root without capabilities", host: user, failed: &WallError{Wall: User, Step: `write "/proc/self/uid_map"`, Errno: syscall.EPERM}, lost: namespaceWalls},
		{name: "another file is read-only", host: user, failed: &WallError{Wall: Mounts, Step: `make folder "usr"`, Errno: syscall.EROFS}, err: "read-only file system"},
		{name: "a container's masked /proc", host: root, failed: &WallError{Wall: Mounts, Step: `mount proc on "proc"`, Errno: syscall.EPERM}, lost: []Wall{Mounts}},
		{name: "a filter refuses to change roots", host: user, failed: &WallError{Wall: Mounts, Step: sys.PivotStep, Errno: syscall.EPERM}, lost: []Wall{Mounts}},
		{name: "a filter refuses the host name", host: user, failed: &WallError{Wall: Hostname, Step: `set host name "x"`, Errno: syscall.EPERM}, lost: []Wall{Hostname}},
		{name: "the root of a chroot", host: root, failed: &WallError{Wall: Mounts, Step: sys.PrivateStep, Errno: syscall.EINVAL}, lost: []Wall{Mounts}},
	}
	for _, test := range tests {
		lost, err := test.spec.without(test.spec.initial(test.host), test.failed)
		if diff := cmp.Diff(test.lost, lost); diff != "" {
			t.Errorf("%s: walls lost (-want +got):\n%s", test.name, diff)
		}
		switch {
		case test.err == "" && err != nil, test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: error %v; want one with %q", test.name, err, test.err)
		case err != nil && !errors.Is(err, test.failed.Errno):
			t.Errorf("%s: error %v hides its cause %v", test.name, err, test.failed.Errno)
		}
	}
}

// A wall that died in silence is an error, never a wall less.
func TestSilentDeathIsAnError(t *testing.T) {
	var s Spec
	failed := &WallError{Wall: Mounts, Step: sys.PrivateStep}
	if lost, err := s.without(s.initial(host{uid: 1000}), failed); err == nil {
		t.Errorf("without = %v, nil; want an error", lost)
	}
}
