package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const jailMounts = `108 64 0:41 /root / ro,nosuid,nodev,relatime - tmpfs tmpfs rw,mode=755
109 108 0:6 /full /dev/full rw,nosuid,noexec,relatime - devtmpfs devtmpfs rw,mode=755
116 108 0:42 / /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw,mode=620,ptmxmode=666
117 108 0:41 /0 /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
118 108 254:0 /etc /etc ro,nosuid,nodev,noexec,relatime - ext4 /dev/vda rw
122 118 0:41 /file /etc/shadow ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
124 118 0:41 /folder /etc/ssh ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
127 108 0:44 / /proc ro,nosuid,nodev,noexec,relatime - proc proc ro
135 108 0:22 /kernel/mm /sys/kernel/mm ro,nosuid,nodev,noexec,relatime - sysfs sysfs rw
137 108 0:41 /1 /tmp rw,nosuid,nodev,relatime shared:7 master:2 - tmpfs tmpfs rw,mode=755
138 137 254:0 /tmp/my\040place /tmp/my\040place rw,nosuid,nodev,relatime - ext4 /dev/vda rw
`

func TestBwrapArguments(t *testing.T) {
	mounts, err := parseMounts(jailMounts)
	if err != nil {
		t.Fatal(err)
	}
	isFolder := func(path string) bool { return path == "/etc/ssh" }
	got := bwrapArguments(mounts, [][2]string{{"/lib", "usr/lib"}}, isFolder)
	want := []string{
		"--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "callgate",
		"--symlink", "usr/lib", "/lib",
		"--dev", "/dev",
		"--ro-bind", "/etc", "/etc",
		"--ro-bind", "/dev/null", "/etc/shadow",
		"--tmpfs", "/etc/ssh",
		"--proc", "/proc",
		"--ro-bind", "/sys/kernel/mm", "/sys/kernel/mm",
		"--tmpfs", "/tmp",
		"--bind", "/tmp/my place", "/tmp/my place",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bwrapArguments (-want +got):\n%s", diff)
	}
}

func TestParseMountsRefuses(t *testing.T) {
	for _, text := range []string{"no dash here", "1 2 3 - tmpfs", "1 2 0:1 / /x ro -"} {
		if mounts, err := parseMounts(text); err == nil {
			t.Errorf("parseMounts(%q) = %v; want an error", text, mounts)
		}
	}
}
