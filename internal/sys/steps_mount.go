package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mount attributes for SetMount (mount_setattr(2)).
const (
	MountReadOnly = unix.MOUNT_ATTR_RDONLY
	MountNoSuid   = unix.MOUNT_ATTR_NOSUID
	MountNoDev    = unix.MOUNT_ATTR_NODEV
	MountNoExec   = unix.MOUNT_ATTR_NOEXEC
)

// Here is the working directory, for steps that take a folder: Here or a Reg
// that holds an open one.
const Here = unix.AT_FDCWD

// PrivateStep is the text of MakeMountsPrivate's step, the first that fails
// where a user namespace gives no power over mounts.
const PrivateStep = "make mounts private"

// GiveStep is how the text of Own's step begins. It fails with EINVAL in a user
// namespace that does not know the user.
const GiveStep = "give away"

// PivotStep is the text of PivotHere's first step.
const PivotStep = "change root"

// MakeMountsPrivate keeps later mounts from spreading to the host and the
// host's from spreading here.
func (s *Script) MakeMountsPrivate() {
	s.Call(PrivateStep, "", unix.SYS_MOUNT, 0, "/", 0, unix.MS_REC|unix.MS_PRIVATE, 0)
}

// MountStep is how the text of MountFilesystem's step begins.
func MountStep(kind string) string { return "mount " + kind + " on" }

// MountFilesystem mounts a new file system of the given type; flags are MS_*
// as MountFlags gives them.
func (s *Script) MountFilesystem(kind, target string, flags uint64, options string) {
	s.Call(MountStep(kind), target, unix.SYS_MOUNT, kind, target, kind, mountFlags(flags), options)
}

func mountFlags(attr uint64) (flags uint64) {
	for _, f := range [...]struct{ attr, flag uint64 }{
		{MountReadOnly, unix.MS_RDONLY},
		{MountNoSuid, unix.MS_NOSUID},
		{MountNoDev, unix.MS_NODEV},
		{MountNoExec, unix.MS_NOEXEC},
	} {
		if attr&f.attr != 0 {
			flags |= f.flag
		}
	}
	return flags
}

// OpenPath opens a path without following any symbolic link on the way, for
// reference only. The caller resolved the path before: a link that appears
// since is an attack and fails with ELOOP.
func (s *Script) OpenPath(folder any, path string) Reg {
	r := s.Reg()
	how := &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	s.Call("open", path, unix.SYS_OPENAT2, folder, path, PointerTo(how), unix.SizeofOpenHow).Into(r)
	return r
}

// CloneTree clones the mounts at and below the file that r refers to into a
// tree of its own, attached nowhere.
func (s *Script) CloneTree(r Reg, path string) Reg {
	tree := s.Reg()
	s.Call("clone mounts of", path, unix.SYS_OPEN_TREE, r, "",
		unix.AT_EMPTY_PATH|unix.AT_RECURSIVE|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC).Into(tree)
	return tree
}

// CloneTreeAt is CloneTree of a path in a folder that nobody else can write to.
func (s *Script) CloneTreeAt(folder any, path string) Reg {
	tree := s.Reg()
	s.Call("clone mounts of", path, unix.SYS_OPEN_TREE, folder, path,
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_RECURSIVE|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC).Into(tree)
	return tree
}

// AttachAt moves a cloned tree onto a path that nobody else can write to.
func (s *Script) AttachAt(tree Reg, path string) {
	s.Call("mount on", path, unix.SYS_MOVE_MOUNT, tree, "", Here, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// SetMount sets attributes on every mount of a tree.
func (s *Script) SetMount(tree Reg, attributes uint64, path string) {
	attr := &unix.MountAttr{Attr_set: attributes}
	s.Call("set mount attributes of", path, unix.SYS_MOUNT_SETATTR, tree, "",
		unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, PointerTo(attr), int(unsafe.Sizeof(*attr)))
}

// SetRootMount sets attributes on the mount at "/" alone.
func (s *Script) SetRootMount(attributes uint64) {
	attr := &unix.MountAttr{Attr_set: attributes}
	s.Call("set mount attributes of", "/", unix.SYS_MOUNT_SETATTR, Here, "/", 0, PointerTo(attr), int(unsafe.Sizeof(*attr)))
}

// Attach moves a cloned tree onto the file that r refers to.
func (s *Script) Attach(tree, r Reg, path string) {
	s.Call("mount on", path, unix.SYS_MOVE_MOUNT, tree, "", r, "",
		unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// Mkdir makes a folder; one that is there already is fine.
func (s *Script) Mkdir(folder any, path string, mode int) {
	s.Call("make folder", path, unix.SYS_MKDIRAT, folder, path, mode).Tolerate(unix.EEXIST)
}

// Own makes a user and a group the owners of a file.
func (s *Script) Own(folder any, path string, uid, gid int) {
	s.Call(GiveStep, path, unix.SYS_FCHOWNAT, folder, path, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}

// Touch makes an empty file; one that is there already is fine.
func (s *Script) Touch(folder any, path string, mode int) {
	s.Call("make file", path, unix.SYS_MKNODAT, folder, path, unix.S_IFREG|mode, 0).Tolerate(unix.EEXIST)
}

// Symlink makes a symbolic link.
func (s *Script) Symlink(text, path string) {
	s.Call("link", path, unix.SYS_SYMLINKAT, text, Here, path)
}

// Umask sets the mask for the files that later steps make.
func (s *Script) Umask(mask int) {
	s.Call("set umask", "", unix.SYS_UMASK, mask)
}

// Chdir changes the working directory.
func (s *Script) Chdir(path string) {
	s.Call("enter folder", path, unix.SYS_CHDIR, path)
}

// PivotHere makes the working directory, a mount point, the root.
func (s *Script) PivotHere() {
	s.Call(PivotStep, "", unix.SYS_PIVOT_ROOT, ".", ".")
}

// DropOldRoot lets go what was the root before PivotHere. It waits until nobody
// in the kernel reads the list of mounts any more.
func (s *Script) DropOldRoot() {
	s.Call("let the old root go", "", unix.SYS_UMOUNT2, ".", unix.MNT_DETACH)
	s.Chdir("/")
}

// WriteFile writes a short text to an existing file.
func (s *Script) WriteFile(path, text string) {
	r := s.Reg()
	s.Call("open", path, unix.SYS_OPENAT, Here, path, unix.O_WRONLY|unix.O_CLOEXEC).Into(r)
	s.Call("write", path, unix.SYS_WRITE, r, text, len(text))
	s.Close(r)
}

// NewFile makes a file with a short text, which nobody else can be making.
func (s *Script) NewFile(folder any, path string, mode int, text string) {
	r := s.Reg()
	s.Call("make file", path, unix.SYS_OPENAT, folder, path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, mode).Into(r)
	s.Call("write all of", path, unix.SYS_WRITE, r, text, len(text)).Op = OpWriteAll
	s.Close(r)
}

// NewFileFrom makes a file of memory that NewMemory returned, and gives the memory
// up: it reads as zeros from then on.
func (s *Script) NewFileFrom(folder any, path string, mode int, data []byte) {
	r := s.Reg()
	s.Call("make file", path, unix.SYS_OPENAT, folder, path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, mode).Into(r)
	memory := PointerTo(&data[0])
	s.Call("write all of", path, unix.SYS_WRITE, r, memory, len(data)).Op = OpWriteAll
	s.Close(r)
	s.Call("free memory", "", unix.SYS_MADVISE, memory, len(data), unix.MADV_DONTNEED)
}

// AttachNew mounts a new file system, of which nobody else has seen the inside, on
// a folder in one that nobody else can write to.
func (s *Script) AttachNew(kind string, folder any, path string, attributes uint64) {
	context, tree := s.Reg(), s.Reg()
	s.Call("open file system", kind, unix.SYS_FSOPEN, kind, unix.FSOPEN_CLOEXEC).Into(context)
	s.Call("make file system", kind, unix.SYS_FSCONFIG, context, unix.FSCONFIG_CMD_CREATE, 0, 0, 0)
	s.Call("mount file system", kind, unix.SYS_FSMOUNT, context, unix.FSMOUNT_CLOEXEC, attributes).Into(tree)
	s.Call("mount on", path, unix.SYS_MOVE_MOUNT, tree, "", folder, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
	s.Close(tree)
	s.Close(context)
}

// Close closes the descriptor in r and gives the register back.
func (s *Script) Close(r Reg) {
	s.Call("close", "", unix.SYS_CLOSE, r)
	s.free = append(s.free, r)
}
