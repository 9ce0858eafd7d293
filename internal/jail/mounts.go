package jail

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/internal/sys"
)

// The root is put together under a mount point that every system has; what it
// hides meanwhile is not needed.
const assembly = "/proc"

// beginRoot starts a root with what depends on no path of the policy.
func (s *Spec) beginRoot(script *sys.Script, host host) *rootBuilder {
	script.MakeMountsPrivate()
	script.MountFilesystem("tmpfs", assembly, sys.MountNoSuid|sys.MountNoDev, s.memoryOptions())
	script.Umask(0)
	b := &rootBuilder{
		script: script,
		root:   host.uid == 0,
		memory: script.OpenPath(sys.Here, assembly),
		ours:   map[string]bool{".": true},
	}
	script.Mkdir(b.memory, "root", 0o755)
	b.bindOwn(b.memory, "root", assembly, sys.MountNoSuid|sys.MountNoDev)
	script.Chdir(assembly)
	if s.ownDev {
		b.point("dev", true)
		b.devices("dev")
	}
	return b
}

// finishRoot adds the mounts and changes to the root, of which nothing is to be
// changed any more. The target must not look around in it before that: following a
// link there may write its time, and the kernel makes no mount read-only that is
// written to.
func (s *Spec) finishRoot(b *rootBuilder) {
	b.root = b.root && s.UID <= 0 // known only now
	b.uid, b.gid = s.UID, s.GID
	b.mounts = slices.Clone(s.Mounts)
	slices.SortStableFunc(b.mounts, func(a, b Mount) int { return cmp.Compare(a.Target, b.Target) })
	for _, m := range b.mounts {
		b.add(m)
	}
	b.script.Close(b.memory)
	b.script.PivotHere()
	if b.ours["."] {
		b.script.SetRootMount(sys.MountReadOnly)
	}
}

func (s *Spec) memoryOptions() string {
	if s.Memory == 0 {
		return "mode=0755"
	}
	return "mode=0755,size=" + strconv.FormatInt(s.Memory, 10)
}

// rootBuilder puts a root together from one file system in memory and parts of
// the host's. The root shows one folder of the memory, read-only; each private
// folder is a writable window on another, which the root does not show.
// Mounts are added in the order of their targets, so that a folder is there
// before what lies in it.
type rootBuilder struct {
	script *sys.Script
	root   bool // the target is user id 0 on the host
	uid    int  // whose a folder of the target's own is to be; -1 for init's
	gid    int
	memory sys.Reg // the file system behind the root and the private folders
	parts  int
	copies map[string][]byte // the bytes of the programs that have a digest, by target
	copied int
	mounts []Mount
	ours   map[string]bool // folders in our own memory, relative to the root
	home   string          // the folder that is the target's own, "" for none
	folder bool            // the stand-in for hidden folders is made
	file   bool            // the stand-in for hidden files is made
}

func (b *rootBuilder) add(m Mount) {
	target := strings.TrimPrefix(path.Clean(m.Target), "/")
	switch {
	case m.Kind == Link:
		b.inOurs(target)
		b.script.Symlink(m.Source, target)
	case m.Kind == Bind && target == "":
		b.bind(m.Source, ".", attributes(m.Access))
		b.script.Chdir(assembly) // again: up to the mount just made
		clear(b.ours)            // what was made before lies underneath
	case m.Kind == Bind:
		b.point(target, m.Folder)
		b.bind(m.Source, target, attributes(m.Access))
	case m.Kind == Private:
		b.point(target, true)
		b.window(target, m.Access, m.own)
	case m.Kind == Copy:
		b.point(target, false)
		b.copy(m, target)
	case m.Kind == Text:
		b.point(target, false)
		b.text(target, m.Source)
	case m.Kind == Hidden:
		b.hide(target, m.Folder)
	case m.Kind == Proc:
		b.point(target, true)
		b.script.MountFilesystem("proc", target, sys.MountReadOnly|sys.MountNoSuid|sys.MountNoDev|sys.MountNoExec, "")
		b.maskProc(target)
	case m.Kind == Dev:
		if !b.ours[target] {
			b.point(target, true)
			b.devices(target)
		}
		b.sharedMemory(target + "/shm")
	}
}

// bind attaches the host's files at source to target.
func (b *rootBuilder) bind(source, target string, attributes uint64) {
	file := b.script.OpenPath(sys.Here, source)
	tree := b.script.CloneTree(file, source)
	b.script.Close(file)
	b.attach(tree, source, target, attributes)
}

// bindOwn is bind for a source that only this process can change, which needs
// no guard against links.
func (b *rootBuilder) bindOwn(folder any, source, target string, attributes uint64) {
	b.attach(b.script.CloneTreeAt(folder, source), source, target, attributes)
}

func (b *rootBuilder) attach(tree sys.Reg, source, target string, attributes uint64) {
	b.script.SetMount(tree, attributes, source)
	if b.ours[path.Dir(target)] {
		b.script.AttachAt(tree, target)
	} else {
		point := b.script.OpenPath(sys.Here, target)
		b.script.Attach(tree, point, target)
		b.script.Close(point)
	}
	b.script.Close(tree)
}

// window shows a fresh part of our own memory at target, writable: to everybody,
// or to the target's user alone, without which ssh and gpg don't trust it.
func (b *rootBuilder) window(target string, access Access, own bool) {
	part := strconv.Itoa(b.parts)
	b.parts++
	if own {
		b.script.Mkdir(b.memory, part, 0o700)
		b.give(b.memory, part)
	} else {
		b.script.Mkdir(b.memory, part, 0o1777)
	}
	b.bindOwn(b.memory, part, target, attributes(access|Write))
	b.ours[target] = true
	if own {
		b.home = target
	}
}

// text shows a file in our own memory at target.
func (b *rootBuilder) text(target, text string) {
	part := strconv.Itoa(b.parts)
	b.parts++
	b.script.NewFile(b.memory, part, 0o644, text)
	b.bindOwn(b.memory, part, target, attributes(Read))
}

// give makes the target's user the owner of what init made.
func (b *rootBuilder) give(folder any, path string) {
	if b.uid >= 0 {
		b.script.Own(folder, path, b.uid, b.gid)
	}
}

// hide covers what stands at target with an unreadable stand-in.
func (b *rootBuilder) hide(target string, folder bool) {
	name, made := "file", &b.file
	if folder {
		name, made = "folder", &b.folder
	}
	if !*made && folder {
		b.script.Mkdir(b.memory, name, 0)
	} else if !*made {
		b.script.Touch(b.memory, name, 0)
	}
	*made = true
	b.bindOwn(b.memory, name, target, attributes(0))
}

// point makes the folder or file that a mount goes on, where that lies in our
// own memory; below a bind it exists on the host, and nothing is made there.
func (b *rootBuilder) point(target string, folder bool) {
	switch {
	case b.ours[target] || !b.inOurs(target):
	case folder:
		b.script.Mkdir(sys.Here, target, 0o755)
	default:
		b.script.Touch(sys.Here, target, 0o644)
	}
}

// inOurs reports whether target lies in our own memory rather than below a
// bind, and makes the folders above it.
func (b *rootBuilder) inOurs(target string) bool {
	parent := path.Dir(target)
	switch {
	case b.ours[parent]:
		return true
	case parent == ".", b.mounted(parent), !b.inOurs(parent):
		return false
	}
	b.script.Mkdir(sys.Here, parent, 0o755)
	if b.home != "" && within(parent, b.home) {
		b.give(sys.Here, parent)
	}
	b.ours[parent] = true
	return true
}

// mounted reports whether a mount's target is exactly this folder.
func (b *rootBuilder) mounted(folder string) bool {
	_, found := slices.BinarySearchFunc(b.mounts, "/"+folder, func(m Mount, target string) int { return cmp.Compare(m.Target, target) })
	return found
}

func attributes(access Access) uint64 {
	attributes := uint64(sys.MountNoSuid | sys.MountNoDev)
	if access&Write == 0 {
		attributes |= sys.MountReadOnly
	}
	if access&Execute == 0 {
		attributes |= sys.MountNoExec
	}
	return attributes
}
