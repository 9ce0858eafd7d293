package main

import (
	"strings"
	"testing"
)

func TestCpio(t *testing.T) {
	var out strings.Builder
	c := &cpio{w: &out}
	c.add(entry{name: "tmp", mode: typeFolder | 0o1777}, nil)
	c.add(entry{name: "a", mode: typeFile | 0o644, size: 5}, strings.NewReader("hello"))
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	const header = "070701" + // magic
		"00000002" + "000081a4" + "00000000" + "00000000" + "00000001" + "00000000" + // inode, mode, user, group, links, time
		"00000005" + "00000000" + "00000000" + "00000000" + "00000000" + // size, device, device of a device node
		"00000002" + "00000000" // length of the name and its end, checksum
	if want := header + "a\x00" + "hello\x00\x00\x00" + "070701"; !strings.Contains(out.String(), want) {
		t.Errorf("archive %q; want %q in it", out.String(), want)
	}
	if size := out.Len(); size%4 != 0 || !strings.HasSuffix(strings.TrimRight(out.String(), "\x00"), "TRAILER!!!") {
		t.Errorf("archive of %d bytes: %q; want a multiple of 4 with a trailer", size, out.String())
	}
}

func TestCpioShortContent(t *testing.T) {
	c := &cpio{w: &strings.Builder{}}
	c.add(entry{name: "a", mode: typeFile, size: 9}, strings.NewReader("hello"))
	if err := c.close(); err == nil {
		t.Error("an entry with less content than it says: no error; want one")
	}
}
