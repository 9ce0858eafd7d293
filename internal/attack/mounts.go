package attack

import (
	"os"

	"golang.org/x/sys/unix"
)

// mounts are the attacks that change the file tree. They may succeed only in a
// mount namespace of their own.
func mounts() []Attack {
	return []Attack{
		{"mount a file system", func(aim string) error { return unix.Mount("tmpfs", aim, "tmpfs", 0, "") }},
		{"bind a folder", func(aim string) error { return unix.Mount("/", aim, "", unix.MS_BIND|unix.MS_REC, "") }},
		{"remount writable", remount},
		{"take a cover off", uncover},
		{"clone a mount", cloneMount},
		{"open a file system", openFilesystem},
		{"set mount attributes", setAttributes},
		{"pivot the root", pivot},
	}
}

// remount makes the read-only mount of the aim writable.
func remount(aim string) error {
	return unix.Mount("", aim, "", unix.MS_REMOUNT|unix.MS_BIND, "")
}

// uncover unmounts what hides the aim, and reads it.
func uncover(aim string) error {
	if err := unix.Unmount(aim, unix.MNT_DETACH); err != nil {
		return err
	}
	return read(aim)
}

// cloneMount clones the tree at aim and attaches the clone over it.
func cloneMount(aim string) error {
	tree, err := unix.OpenTree(unix.AT_FDCWD, aim, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	return unix.MoveMount(tree, "", unix.AT_FDCWD, aim, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

func openFilesystem(string) error {
	fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func setAttributes(aim string) error {
	return unix.MountSetattr(unix.AT_FDCWD, aim, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NODEV})
}

// pivot makes a mount at aim the root.
func pivot(aim string) error {
	if err := unix.Mount("tmpfs", aim, "tmpfs", 0, ""); err != nil {
		return err
	}
	if err := os.Mkdir(aim+"/old", 0o700); err != nil {
		return err
	}
	return unix.PivotRoot(aim, aim+"/old")
}
