package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// A program that makes every call on many paths, bare, must never meet the
// machine's own files: the tests' scratch root is memory, with /usr, /etc and /sys
// shown read-only, in
// namespaces of its own.

// outside is what the process that starts a scratch root knows of its own root: the
// namespace and the devices that must not be there inside.
const outside = "CALLGATE_TEST_OUTSIDE"

// inScratch has a command start in namespaces of its own, for enterScratch.
func inScratch(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	cmd.Env = append(cmd.Env, outside+"="+strings.Join(whereabouts(), " "))
}

// whereabouts names the mount namespace, and the file systems of folders.
func whereabouts() []string {
	names := []string{must(os.Readlink("/proc/self/ns/mnt"))}
	for _, folder := range []string{"/", "/dev", "/tmp", "/var", "/boot"} {
		var stat syscall.Stat_t
		check("stat "+folder, syscall.Stat(folder, &stat))
		names = append(names, strconv.FormatUint(uint64(stat.Dev), 10))
	}
	return names
}

func check(what string, err error) {
	if err != nil {
		panic("enter the scratch root: " + what + ": " + err.Error())
	}
}

func must[T any](v T, err error) T {
	check("look", err)
	return v
}

// enterScratch makes a root in memory, enters it for good, and makes sure.
func enterScratch(mountPoint string) {
	if must(os.Readlink("/proc/self/ns/mnt")) == strings.Fields(os.Getenv(outside))[0] || os.Getpid() != 1 {
		panic("enter the scratch root: these are the machine's own namespaces")
	}
	mount := func(from, to, kind string, flags uintptr, data string) {
		check("mount "+to, syscall.Mount(from, to, kind, flags, data))
	}
	folder := func(name string, mode os.FileMode) {
		check("make "+name, os.MkdirAll(name, mode))
		check("make "+name, os.Chmod(name, mode))
	}
	mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	mount("scratch", mountPoint, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755")
	check("go there", os.Chdir(mountPoint))
	for _, name := range []string{"usr", "etc", "sys"} {
		folder(name, 0o755)
		mount("/"+name, name, "", syscall.MS_BIND|syscall.MS_REC, "")
		check("read-only "+name, setReadOnly(name))
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if to, err := os.Readlink("/" + name); err == nil {
			check("link "+name, os.Symlink(to, name))
		}
	}
	for name, mode := range map[string]os.FileMode{"boot": 0o755, "var/lib": 0o755, "var/tmp": 0o777 | os.ModeSticky, "tmp": 0o777 | os.ModeSticky, "root": 0o700, "proc": 0o755, "dev/shm": 0o777 | os.ModeSticky, "dev/pts": 0o755} {
		folder(name, mode)
	}
	for _, name := range []string{"null", "full"} {
		check("make "+name, os.WriteFile("dev/"+name, nil, 0o666))
		mount("/dev/"+name, "dev/"+name, "", syscall.MS_BIND, "")
		check("read-only "+name, setReadOnly("dev/"+name))
	}
	check("link fd", os.Symlink("/proc/self/fd", "dev/fd"))
	check("link stdin", os.Symlink("/proc/self/fd/0", "dev/stdin"))
	mount("proc", "proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
	check("read-only proc", setReadOnly("proc"))
	check("pivot_root", syscall.PivotRoot(".", "."))
	check("leave the old root", syscall.Unmount(".", syscall.MNT_DETACH))
	check("go to the root", os.Chdir("/"))
	makeSure()
}

// makeSure panics where anything of the machine can still be changed.
func makeSure() {
	was, is := strings.Fields(os.Getenv(outside)), whereabouts()
	for i, name := range is {
		if name == was[i] {
			panic("the scratch root is the machine's own: " + name)
		}
	}
	for _, name := range []string{"/usr", "/etc", "/sys"} {
		if err := os.Chmod(name, 0o755); err == nil {
			panic(name + " can be changed")
		}
	}
	for line := range strings.Lines(string(must(os.ReadFile("/proc/self/mountinfo")))) {
		fields := strings.Fields(line)
		if place, options := fields[4], fields[5]; place != "/" && !strings.HasPrefix(options, "ro,") && options != "ro" {
			panic(filepath.Clean(place) + " is mounted writable")
		}
	}
}

// setReadOnly is mount_setattr(2) for a tree of mounts.
func setReadOnly(folder string) error {
	const mountSetattr, recursive, readOnly = 442, 0x8000, 1
	here := -100
	attr := [4]uint64{readOnly}
	path, err := syscall.BytePtrFromString(folder)
	if err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall6(mountSetattr, uintptr(here), uintptr(unsafe.Pointer(path)), recursive, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0); errno != 0 {
		return errno
	}
	return nil
}
