// Command guest is the first process of vmtest's machines: it sets up what a
// Debian system has when it has started, runs the plan's jobs one after the
// other, and powers the machine off.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "guest: is the first process of vmtest's machines, and of no other")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Printf("guest: %v\n", err)
	} else {
		fmt.Println(plan.Mark + " off")
	}
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	if err := setUp(); err != nil {
		return err
	}
	text, err := os.ReadFile(plan.Path)
	if err != nil {
		return err
	}
	var p plan.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	for _, job := range p.Jobs {
		if err := do(job); err != nil {
			return fmt.Errorf("%s: %w", job.Name, err)
		}
	}
	return nil
}

// setUp makes this the machine that a test expects.
func setUp() error {
	os.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	for _, step := range []func() error{ownRoot, mountAll, controlGroups, homes} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, command := range [][]string{{"ip", "link", "set", "lo", "up"}, {"depmod", "-a"}, {"modprobe", "-a", "overlay", "vsock"}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", command, err, out)
		}
	}
	return syscall.Sethostname([]byte("vmtest"))
}

// ownRoot mounts the root on itself: the kernel's first root, which has no
// mount below it, can't be exchanged, and callgate would take it for a chroot.
func ownRoot() error {
	if err := syscall.Mount("/", "/run", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind the root: %w", err)
	}
	if err := os.Chdir("/run"); err != nil {
		return err
	}
	if err := syscall.Mount(".", "/", "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := syscall.Chroot("."); err != nil {
		return fmt.Errorf("enter the root: %w", err)
	}
	return os.Chdir("/")
}

func mountAll() error {
	for _, m := range []struct {
		kind, target string
		flags        uintptr
		data         string
	}{
		{"proc", "/proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC, ""},
		{"sysfs", "/sys", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC, ""},
		{"securityfs", "/sys/kernel/security", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC, ""},
		{"cgroup2", "/sys/fs/cgroup", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC, "nsdelegate"},
		{"devtmpfs", "/dev", syscall.MS_NOSUID, "mode=0755"},
		{"devpts", "/dev/pts", syscall.MS_NOSUID | syscall.MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666"},
		{"tmpfs", "/dev/shm", syscall.MS_NOSUID | syscall.MS_NODEV, "mode=1777"},
		{"mqueue", "/dev/mqueue", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC, ""},
		{"tmpfs", "/run", syscall.MS_NOSUID | syscall.MS_NODEV, "mode=0755"},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, "/dev/"+name); err != nil {
			return err
		}
	}
	return nil
}

func homes() error {
	if err := os.MkdirAll("/home/user", 0o755); err != nil {
		return err
	}
	return os.Chown("/home/user", ordinaryUser, ordinaryUser)
}
