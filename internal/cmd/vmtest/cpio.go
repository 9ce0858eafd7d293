package main

import (
	"fmt"
	"io"
)

// Types of files, as in a file's mode (inode(7)).
const (
	typeFile   = 0o100000
	typeFolder = 0o040000
	typeLink   = 0o120000
	typeDevice = 0o020000 // of characters
)

// cpio writes an archive that the kernel unpacks into its first root: the
// "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst.
// Everything in it belongs to root.
type cpio struct {
	w     io.Writer
	inode int // of the last file: the kernel takes equal ones for hard links
	err   error
}

// entry is one file of an archive.
type entry struct {
	name         string // without a leading slash
	mode         uint32 // type and permissions
	size         int64
	major, minor int // of a device
}

// add writes an entry and its content, which must have the size it says.
func (c *cpio) add(e entry, content io.Reader) {
	if c.err != nil {
		return
	}
	c.inode++
	links, modified, check := 1, 0, 0
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		c.inode, e.mode, 0, 0, links, modified, e.size, 0, 0, e.major, e.minor, len(e.name)+1, check, e.name)
	if _, c.err = io.WriteString(c.w, header+padding(int64(len(header)))); c.err != nil {
		return
	}
	if _, c.err = io.CopyN(c.w, content, e.size); c.err != nil {
		c.err = fmt.Errorf("archive %s: %w", e.name, c.err)
		return
	}
	_, c.err = io.WriteString(c.w, padding(e.size))
}

// close ends the archive and returns the first error.
func (c *cpio) close() error {
	c.inode = -1
	c.add(entry{name: "TRAILER!!!"}, nil)
	return c.err
}

// padding fills up to a multiple of four bytes.
func padding(size int64) string { return "\x00\x00\x00"[:(4-size%4)%4] }
