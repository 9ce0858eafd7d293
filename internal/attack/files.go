package attack

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func files() []Attack {
	return []Attack{
		{"read", read},
		{"open", func(aim string) error { return open(aim, unix.O_RDONLY|unix.O_NONBLOCK) }},
		{"write", func(aim string) error { return open(aim, unix.O_WRONLY) }},
		{"create", func(aim string) error { return open(aim, unix.O_WRONLY|unix.O_CREAT) }},
		{"truncate", func(aim string) error { return unix.Truncate(aim, 0) }},
		{"change mode", func(aim string) error { return unix.Chmod(aim, 0o666) }},
		{"symbolic link to it", symlink},
		{"hard link to it", hardLink},
		{"rename what it lies in", renameParent},
		{"replace the folder it lies in", replaceParent},
		{"open by handle", openByHandle},
		{"open beneath an inherited descriptor", inheritedFolder},
		{"change root", func(string) error { return unix.Chroot("/") }},
	}
}

func open(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o666)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func read(aim string) error {
	fd, err := unix.Open(aim, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return readAndClose(fd)
}

// symlink reaches the aim by a link of its own making in the working directory.
func symlink(aim string) error {
	if err := os.Symlink(aim, "link"); err != nil {
		return err
	}
	defer os.Remove("link")
	return read("link")
}

// hardLink gives a file that is read-only where it stands a name in the working
// directory, and opens it for writing there.
func hardLink(aim string) error {
	if err := os.Link(aim, "link"); err != nil {
		return err
	}
	defer os.Remove("link")
	return open("link", unix.O_WRONLY)
}

// renameParent moves the folder of a hidden file away from the cover.
func renameParent(aim string) error {
	folder := filepath.Dir(aim)
	if err := os.Rename(folder, folder+"-moved"); err != nil {
		return err
	}
	defer os.Rename(folder+"-moved", folder)
	return read(filepath.Join(folder+"-moved", filepath.Base(aim)))
}

// replaceParent puts a folder of its own where a protected one stood, by moving
// the one above it, and writes there.
func replaceParent(aim string) error {
	above := filepath.Dir(filepath.Dir(aim))
	if err := os.Rename(above, above+"-moved"); err != nil {
		return err
	}
	defer os.Rename(above+"-moved", above)
	defer os.RemoveAll(above)
	if err := os.MkdirAll(filepath.Dir(aim), 0o777); err != nil {
		return err
	}
	return open(aim, unix.O_WRONLY|unix.O_CREAT)
}

// openByHandle opens a file that no path leads to, by the handle that
// name_to_handle_at(2) gave outside, which can be guessed: aim is its type and
// its bytes in hexadecimal. The working directory is on the same file system.
func openByHandle(aim string) error {
	var kind int32
	var id []byte
	if _, err := fmt.Sscanf(aim, "%d %x", &kind, &id); err != nil {
		return err
	}
	here, err := unix.Open(".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(here)
	fd, err := unix.OpenByHandleAt(here, unix.NewFileHandle(kind, id), unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	return readAndClose(fd)
}

// inheritedFolder opens the aim, relative to a folder, through every descriptor
// this process was born with.
func inheritedFolder(aim string) error {
	for fd := 3; fd < 256; fd++ {
		file, err := unix.Openat(fd, aim, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			return readAndClose(file)
		}
	}
	return ErrNotFound
}

func readAndClose(fd int) error {
	defer unix.Close(fd)
	_, err := unix.Read(fd, make([]byte, 1))
	return err
}
