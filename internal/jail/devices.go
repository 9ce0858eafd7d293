package jail

import (
	"path"
	"slices"
	"strings"

	"github.com/callgate/callgate/internal/sys"
)

// safeDevices are the nodes that reach no hardware and no other process.
var safeDevices = [...]string{"full", "null", "random", "tty", "urandom", "zero"}

// isSafeDevice reports whether a path is that of a node in every /dev of a
// target's own.
func isSafeDevice(name string) bool {
	dir, base := path.Split(name)
	return dir == "/dev/" && slices.Contains(safeDevices[:], base)
}

var deviceLinks = [...]struct{ name, text string }{
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
	{"ptmx", "pts/ptmx"},
}

// devices fills target with the safe nodes of the host and terminals of its own.
// Writing to a device is no writing to the mount that shows it, which is
// read-only: user id 0 could change the node's mode and owner for the machine.
func (b *rootBuilder) devices(target string) {
	if b.inOurs(target) {
		b.ours[target] = true
	} else {
		b.window(target, 0, false) // over the host's /dev, in a root that is the host's
	}
	for _, name := range safeDevices {
		b.point(target+"/"+name, false)
		b.bindOwn(sys.Here, "/dev/"+name, target+"/"+name, sys.MountReadOnly|sys.MountNoSuid|sys.MountNoExec)
	}
	for _, link := range deviceLinks {
		b.script.Symlink(link.text, target+"/"+link.name)
	}
	b.point(target+"/pts", true)
	b.script.MountFilesystem("devpts", target+"/pts", sys.MountNoSuid|sys.MountNoExec, "newinstance,ptmxmode=0666,mode=0620")
}

// sharedMemory makes /dev/shm, unless a mount of its own is.
func (b *rootBuilder) sharedMemory(target string) {
	if !b.mounted(target) {
		b.point(target, true)
		b.window(target, 0, false)
	}
}

// procHidden are the parts of /proc that tell the machine's secrets. (What acts
// on the machine is refused by the mount being read-only, even to user id 0.)
var procHidden = [...]string{"kcore", "keys", "kpagecgroup", "kpagecount", "kpageflags", "timer_list", "vmallocinfo"}

// isProcess reports whether a path lies in a process's folder of /proc.
func isProcess(name string) bool {
	rest, in := strings.CutPrefix(name, "/proc/")
	process, _, _ := strings.Cut(rest, "/")
	return in && process != "" && strings.Trim(process, "0123456789") == ""
}

// maskProc covers what a target that is user id 0 on the host could read; to
// any other the kernel itself refuses these files.
func (b *rootBuilder) maskProc(target string) {
	if !b.root {
		return
	}
	for _, name := range procHidden {
		if exists("/proc/" + name) {
			b.hide(target+"/"+name, false)
		}
	}
}

func exists(path string) bool {
	_, err := sys.FileType(path)
	return err == nil
}
