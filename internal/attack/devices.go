package attack

import (
	"os"

	"golang.org/x/sys/unix"
)

func devices() []Attack {
	return []Attack{
		{"make a device node", makeNode},
		{"map hardware", func(string) error { return open("/dev/mem", unix.O_RDONLY) }},
	}
}

// makeNode makes another name for the harmless /dev/null and opens it.
func makeNode(string) error {
	if err := unix.Mknod("node", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return err
	}
	defer os.Remove("node")
	return open("node", unix.O_WRONLY)
}
