package policy

import (
	"fmt"
	"net/netip"
	"path"
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// file answers for the path of a call that seccomp lets through, by the file
// tree that the jail builds. Paths are taken as they are written: links are not
// followed.
func (j *Judge) file(q Question, call *abi.Syscall, args [6]uint64) Answer {
	name := j.target.expand(q.Path)
	want := j.wanted(call, args)
	mount, visible := mountOf(j.mounts, name)
	refuse := func(errno abi.Errno, format string, a ...any) Answer {
		return Answer{
			Action: Do(errnoAction(errno)), Wall: WallFiles, At: mount.At,
			Reason: fmt.Sprintf(format, a...), Cure: j.fileCure(q.Path, want, mount),
		}
	}
	switch {
	case !visible:
		return j.unseen(q, name, want, refuse)
	case mount.Kind == Empty && name == mount.Path && want.readOnlyFirst:
		return refuse(abi.EROFS, "%s is hidden", mount.Path)
	case mount.Kind == Empty && (name != mount.Path || want.access != 0 || want.enters):
		return refuse(abi.EACCES, "%s is hidden", mount.Path)
	case mount.Kind == Device && isSafeDevice(name):
		return Answer{Action: Do(filter.ActionAllow), At: mount.At}
	case mount.Kind == Device && name != mount.Path && !want.creates:
		return refuse(abi.ENOENT, "a private /dev has no %s", printable(name))
	case mount.Kind == Tmpfs && !want.creates && !j.leadsToMount(name):
		return refuse(abi.ENOENT, "%s is the program's own, and empty when it starts", mount.Path)
	case mount.Kind == Text && name != mount.Path:
		a := refuse(abi.ENOTDIR, "%s is a file with a text of the policy's own", mount.Path)
		a.Cure = ""
		return a
	case want.access&Write != 0 && mount.Kind == Text:
		return refuse(abi.EROFS, "%s has a text of the policy's own, and is read-only", mount.Path)
	case want.access&Execute != 0 && mount.Access&Execute == 0:
		a := refuse(abi.EACCES, "%s is mounted noexec", mount.Path)
		a.Lacks = Execute
		return a
	case want.access&Write != 0 && !mount.Digest.IsZero():
		return refuse(abi.EROFS, "%s is a copy, made for its digest, and read-only", mount.Path)
	case want.access&Write != 0 && mount.Access&Write == 0:
		return refuse(abi.EROFS, "%s is mounted read-only", mount.Path)
	}
	if answer, refused := j.byPattern(q.Path, name, want.access); refused {
		return answer
	}
	a := Answer{Action: Do(filter.ActionAllow), At: mount.At}
	if want.access&Execute != 0 && !mount.Digest.IsZero() {
		a.Reason = fmt.Sprintf("%s is executed as the copy with %s", mount.Path, mount.Digest)
	}
	if mount.Kind == Text {
		a.Reason = fmt.Sprintf("%s has a text of the policy's own", mount.Path)
	}
	return a
}

// unseen answers for a path below no mount. The directories that lead to
// mounts exist, empty but for those, and read-only.
func (j *Judge) unseen(q Question, name string, want wanted, refuse func(abi.Errno, string, ...any) Answer) Answer {
	switch {
	case j.leadsToMount(name) && want.access&Execute != 0:
		a := refuse(abi.EACCES, "%s is a directory", printable(name))
		a.Cure, a.Lacks = "", Execute
		return a
	case j.leadsToMount(name) && want.access&Write == 0:
		return Answer{Action: Do(filter.ActionAllow)}
	case j.leadsToMount(name), want.creates && j.leadsToMount(path.Dir(name)):
		return refuse(abi.EROFS, "%s is no part of the file tree, whose root is read-only", printable(q.Path))
	}
	return refuse(abi.ENOENT, "%s is no part of the file tree", printable(q.Path))
}

// Apart reports whether two absolute paths lie in different mounts of the file
// tree, so that no file can be moved or linked from one to the other.
func (j *Judge) Apart(a, b string) bool {
	from, _ := mountOf(j.mounts, path.Dir(a))
	to, _ := mountOf(j.mounts, path.Dir(b))
	return from.Path != to.Path
}

func (j *Judge) leadsToMount(dir string) bool {
	return slices.ContainsFunc(j.mounts, func(m Mount) bool { return isBelow(m.Path, dir) }) || dir == "/"
}

// wanted is what a call does with its file.
type wanted struct {
	access  Access // zero: only looks whether it is there, and at its attributes
	creates bool   // the file need not be there before

	enters        bool // is about what is in the folder
	readOnlyFirst bool // the kernel looks whether the mount is read-only before it looks at permissions
}

// wanted tells what a call does with the file it names.
func (j *Judge) wanted(call *abi.Syscall, args [6]uint64) wanted {
	switch call.Name {
	case "open", "openat", "creat", "openat2":
		return j.opens(call, args)
	case "execve", "execveat":
		return wanted{access: Read | Execute}
	case "access", "faccessat", "faccessat2":
		mode := args[indexOf(call, "mode")]
		return wanted{access: Access(mode>>2&1)*Read | Access(mode>>1&1)*Write | Access(mode&1)*Execute}
	case "mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat", "bind":
		return wanted{access: Write, creates: true}
	case "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat",
		"setxattr", "lsetxattr", "removexattr", "lremovexattr":
		return wanted{access: Write, readOnlyFirst: true}
	case "chdir":
		return wanted{enters: true}
	case "getxattr", "lgetxattr":
		return wanted{access: Read}
	}
	if g, ok := group("file-write"); ok && slices.ContainsFunc(g.Calls, func(n Name) bool { return n.Text == call.Name }) {
		return wanted{access: Write}
	}
	return wanted{}
}

func (j *Judge) opens(call *abi.Syscall, args [6]uint64) wanted {
	if call.Name == "creat" {
		return wanted{access: Write, creates: true}
	}
	i := indexOf(call, "flags")
	if i < 0 {
		return wanted{access: Read} // openat2: the flags lie behind a pointer
	}
	flag := func(name string) uint64 {
		v, _ := abi.ParseConstant(name, j.target.Arch)
		return v
	}
	var w wanted
	switch args[i] & 3 {
	case 0, 3: // 3 is for ioctl alone (open(2)): no mount has to be writable for that
		w.access = Read
	case 1:
		w.access = Write
	default:
		w.access = Read | Write
	}
	w.creates = args[i]&flag("O_CREAT") != 0
	if w.creates || args[i]&flag("O_TRUNC") != 0 {
		w.access |= Write
	}
	if tmp := flag("O_TMPFILE"); args[i]&tmp == tmp {
		w.readOnlyFirst = true
	}
	if args[i]&flag("O_PATH") != 0 {
		w = wanted{}
	}
	return w
}

// safeDevices are the nodes of a private /dev (files.dev).
var safeDevices = [...]string{
	"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero",
}

func isSafeDevice(name string) bool {
	for _, d := range safeDevices {
		if isBelow(name, "/dev/"+d) {
			return true
		}
	}
	return false
}

// network answers for the port, and the host, of connect, bind and what sends
// datagrams.
func (j *Judge) network(q Question) Answer {
	n := &j.policy.Network
	port := uint16(q.Port)
	allow := Answer{Action: Do(filter.ActionAllow)}
	refuse := func(errno abi.Errno, wall string, at Origin, cure, format string, a ...any) Answer {
		return Answer{Action: Do(errnoAction(errno)), Wall: wall, At: at, Cure: cure, Reason: fmt.Sprintf(format, a...)}
	}
	listed, at, key := n.ConnectsTo(port), n.Connect.At, "connect"
	if q.Call == "bind" {
		listed, at, key = n.Binds(port), n.Bind.At, "bind"
	}
	switch {
	case q.Port == 0:
		return allow
	case q.Call != "bind" && n.Mode.Value == RelayNetwork:
		return j.relay(q)
	case (q.Call == "bind" || q.Call == "connect") && at != (Origin{}) && !listed:
		return refuse(abi.EACCES, WallLandlock, at, fmt.Sprintf("network:\n  %s: [%d]\n", key, port),
			"the network section does not list port %d under %s", port, key)
	case q.Call != "bind" && n.Mode.Value == NoNetwork && isLoopback(q.Host):
		return allow // nobody may listen there, and the kernel says so
	case q.Call != "bind" && n.Mode.Value == NoNetwork:
		return refuse(abi.ENETUNREACH, WallNetwork, n.Mode.At, "network:\n  mode: host\n",
			"the program's network is its own and reaches nothing but itself")
	case q.Call == "bind" && port < 1024 && n.Mode.Value != RelayNetwork && !j.policy.grants("CAP_NET_BIND_SERVICE"):
		return refuse(abi.EACCES, WallCapabilities, Origin{}, "capabilities: [CAP_NET_BIND_SERVICE]\n",
			"ports below 1024 need CAP_NET_BIND_SERVICE")
	}
	return allow
}

// isLoopback reports whether a host is the program's own network, which the
// unspecified address leads to as well (ip(7)).
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (address.IsLoopback() || address.IsUnspecified())
}
