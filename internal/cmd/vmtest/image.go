package main

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

// settings are the files of /etc that packages make only when installed.
var settings = map[string]string{
	"etc/group":         "root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n",
	"etc/hosts":         "127.0.0.1 localhost\n::1 localhost\n",
	"etc/resolv.conf":   "nameserver 127.0.0.1\n",
	"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	"etc/shadow":        "root:*:::::::\n",
	"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n" +
		"www-data:x:33:33::/var/www:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n",
}

// unwanted are files that would only make the image larger, and all modules but
// those that the tests could have the kernel load.
var (
	unwanted = regexp.MustCompile(`^(usr/share/(doc|info|lintian|locale|man)|boot|usr/lib/udev|usr/lib/modules/[^/]+/kernel)/`)
	wanted   = regexp.MustCompile(`/kernel/(fs/overlayfs/overlay|drivers/net/dummy|net/vmw_vsock/vsock)\.ko`)
)

// writeImage writes the machine's kernel, and as its image the packages, the
// project's files, what was built in work/root, and the plan.
func writeImage(m *machine, work string, packages []string, p plan.Plan) error {
	file, err := os.Create(m.image)
	if err != nil {
		return err
	}
	defer file.Close()
	buffer := bufio.NewWriterSize(file, 1<<20)
	c := &cpio{w: buffer}
	for _, folder := range []string{"dev", "proc", "sys", "run", "root", "home", "etc", "usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"} {
		c.add(entry{name: folder, mode: typeFolder | 0o755}, nil)
	}
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} { // as Debian's usrmerge makes them
		addLink(c, link, "usr/"+link)
	}
	c.add(entry{name: "dev/console", mode: typeDevice | 0o600, major: 5, minor: 1}, nil)
	c.add(entry{name: "tmp", mode: typeFolder | 0o1777}, nil)
	for _, file := range packages {
		if err := addPackage(c, m, file); err != nil {
			return fmt.Errorf("unpack %s: %w", file, err)
		}
	}
	for name, text := range settings {
		addText(c, name, text)
	}
	if err := addProject(c); err != nil {
		return err
	}
	if err := addTree(c, filepath.Join(work, "root"), "."); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	addText(c, strings.TrimPrefix(plan.Path, "/"), string(text))
	if err := c.close(); err != nil {
		return err
	}
	return buffer.Flush()
}

// addPackage adds a package's files, but for the kernel, which goes to the
// machine.
func addPackage(c *cpio, m *machine, file string) error {
	unpack := exec.Command("dpkg-deb", "--fsys-tarfile", file)
	unpack.Stderr = os.Stderr
	pipe, err := unpack.StdoutPipe()
	if err != nil {
		return err
	}
	if err := unpack.Start(); err != nil {
		return err
	}
	defer func() { unpack.Process.Kill(); unpack.Wait() }()
	archive := tar.NewReader(pipe)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		name := merged(path.Clean(h.Name))
		switch {
		case strings.HasPrefix(name, "boot/vmlinuz-"):
			if err := save(m.kernel, archive); err != nil {
				return err
			}
		case name == "." || unwanted.MatchString(name) && !wanted.MatchString(name):
		case h.Typeflag == tar.TypeLink: // a symbolic link is as good, and needs no bookkeeping
			addLink(c, name, "/"+merged(path.Clean(h.Linkname)))
		case h.Typeflag == tar.TypeSymlink:
			addLink(c, name, h.Linkname)
		case h.Typeflag == tar.TypeDir:
			c.add(entry{name: name, mode: typeFolder | uint32(h.Mode)}, nil)
		case h.Typeflag == tar.TypeReg:
			addFolders(c, name)
			c.add(entry{name: name, mode: typeFile | uint32(h.Mode), size: h.Size}, archive)
		}
	}
}

// merged moves what older packages have in /bin, /sbin and /lib below /usr.
func merged(name string) string {
	switch first, _, found := strings.Cut(name, "/"); first {
	case "bin", "sbin", "lib", "lib64":
		if found {
			return "usr/" + name
		}
		return "." // the folder itself, which is there
	}
	return name
}

// addFolders adds the folders of a module, which were unwanted.
func addFolders(c *cpio, name string) {
	if !wanted.MatchString(name) {
		return
	}
	parts := strings.Split(path.Dir(name), "/")
	for i := range parts {
		c.add(entry{name: strings.Join(parts[:i+1], "/"), mode: typeFolder | 0o755}, nil)
	}
}

// addProject adds the project's files as git knows them.
func addProject(c *cpio) error {
	list, err := output(exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard"))
	if err != nil {
		return err
	}
	made := map[string]bool{}
	for name := range strings.Lines(list) {
		name = strings.TrimSuffix(name, "\n")
		for _, folder := range append(parents(name), path.Dir(name)) {
			if target := path.Join(guestTree[1:], folder); !made[target] {
				made[target] = true
				c.add(entry{name: target, mode: typeFolder | 0o755}, nil)
			}
		}
		if err := addFile(c, name, path.Join(guestTree[1:], name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// parents are the folders above a file's own, the highest first.
func parents(name string) []string {
	var list []string
	for dir := path.Dir(path.Dir(name)); dir != "."; dir = path.Dir(dir) {
		list = append([]string{dir}, list...)
	}
	return append([]string{"."}, list...)
}

// addTree adds all files below a folder.
func addTree(c *cpio, root, name string) error {
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		target, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if target = path.Join(name, target); d.IsDir() {
			c.add(entry{name: target, mode: typeFolder | 0o755}, nil)
			return nil
		}
		return addFile(c, file, target)
	})
}

func addFile(c *cpio, file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	c.add(entry{name: name, mode: typeFile | uint32(info.Mode().Perm()), size: info.Size()}, f)
	return nil
}

func addText(c *cpio, name, text string) {
	c.add(entry{name: name, mode: typeFile | 0o644, size: int64(len(text))}, strings.NewReader(text))
}

func addLink(c *cpio, name, target string) {
	c.add(entry{name: name, mode: typeLink | 0o777, size: int64(len(target))}, strings.NewReader(target))
}

func save(name string, content io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
