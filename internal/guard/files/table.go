package files

import (
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// treatment is what is done with a call.
type treatment uint8

const (
	emulated treatment = iota + 1 // callgate does it
	checked                       // callgate looks, and has the kernel do it: a race can't be won or lost there alone
	left                          // the kernel does it: it tells no more than names and attributes
	refusing                      // it can't be had where there are patterns
)

type row struct {
	how   treatment
	serve func(*call) gate.Verdict
}

// newTable has every call that names a file, or changes one by a descriptor that may
// only read. A test holds that none is missing.
func newTable() map[string]row {
	arg := func(c *call, i int) int32 { return int32(c.Args[i]) }
	flags := func(c *call, i int) uint64 { return uint64(uint32(c.Args[i])) }
	table := map[string]row{
		"open":    {emulated, func(c *call) gate.Verdict { return c.openPath(here, 0, int(int32(c.Args[1])), uint32(c.Args[2])) }},
		"openat":  {emulated, func(c *call) gate.Verdict { return c.openPath(arg(c, 0), 1, int(arg(c, 2)), uint32(c.Args[3])) }},
		"creat":   {emulated, func(c *call) gate.Verdict { return c.openPath(here, 0, creating, uint32(c.Args[1])) }},
		"openat2": {emulated, openat2},

		"mkdir":     {emulated, func(c *call) gate.Verdict { return c.mkdir(here, 0) }},
		"mkdirat":   {emulated, func(c *call) gate.Verdict { return c.mkdir(arg(c, 0), 1) }},
		"mknod":     {emulated, func(c *call) gate.Verdict { return c.mknod(here, 0) }},
		"mknodat":   {emulated, func(c *call) gate.Verdict { return c.mknod(arg(c, 0), 1) }},
		"symlink":   {emulated, func(c *call) gate.Verdict { return c.symlink(here, 1) }},
		"symlinkat": {emulated, func(c *call) gate.Verdict { return c.symlink(arg(c, 1), 2) }},
		"unlink":    {emulated, func(c *call) gate.Verdict { return c.unlink(here, 0, false) }},
		"rmdir":     {emulated, func(c *call) gate.Verdict { return c.unlink(here, 0, true) }},
		"unlinkat":  {emulated, unlinkat},
		"link":      {emulated, func(c *call) gate.Verdict { return c.link(here, 0, here, 1, 0) }},
		"linkat":    {emulated, func(c *call) gate.Verdict { return c.link(arg(c, 0), 1, arg(c, 2), 3, flags(c, 4)) }},
		"rename":    {emulated, func(c *call) gate.Verdict { return c.rename(here, 0, here, 1, 0) }},
		"renameat":  {emulated, func(c *call) gate.Verdict { return c.rename(arg(c, 0), 1, arg(c, 2), 3, 0) }},
		"renameat2": {emulated, func(c *call) gate.Verdict { return c.rename(arg(c, 0), 1, arg(c, 2), 3, uint(uint32(c.Args[4]))) }},

		"chmod":     {emulated, func(c *call) gate.Verdict { return c.chmod(here, 0, 0) }},
		"fchmodat":  {emulated, func(c *call) gate.Verdict { return c.chmod(arg(c, 0), 1, 0) }},
		"fchmodat2": {emulated, fchmodat2},
		"fchmod":    {emulated, fchmod},
		"chown":     {emulated, func(c *call) gate.Verdict { return c.chown(here, 0, 0) }},
		"lchown":    {emulated, func(c *call) gate.Verdict { return c.chown(here, 0, noFollow) }},
		"fchownat":  {emulated, func(c *call) gate.Verdict { return c.chown(arg(c, 0), 1, flags(c, 4)) }},
		"fchown":    {emulated, fchown},
		"truncate":  {emulated, (*call).truncate},
		"utime":     {emulated, func(c *call) gate.Verdict { return c.times(here, 0, 1, 0, 16, parseUtimbuf) }},
		"utimes":    {emulated, func(c *call) gate.Verdict { return c.times(here, 0, 1, 0, 32, parseTimevals) }},
		"futimesat": {emulated, func(c *call) gate.Verdict { return c.times(arg(c, 0), 1, 2, 0, 32, parseTimevals) }},
		"utimensat": {emulated, func(c *call) gate.Verdict { return c.times(arg(c, 0), 1, 2, flags(c, 3), 32, parseTimespecs) }},

		"setxattr":     {emulated, xattr{byPath(true), 1, 2, 4}.set},
		"lsetxattr":    {emulated, xattr{byPath(false), 1, 2, 4}.set},
		"fsetxattr":    {emulated, xattr{byDescriptor, 1, 2, 4}.set},
		"getxattr":     {emulated, xattr{byPath(true), 1, 2, 0}.get},
		"lgetxattr":    {emulated, xattr{byPath(false), 1, 2, 0}.get},
		"listxattr":    {emulated, xattr{byPath(true), -1, 1, 0}.get},
		"llistxattr":   {emulated, xattr{byPath(false), -1, 1, 0}.get},
		"removexattr":  {emulated, xattr{byPath(true), 1, 0, 0}.remove},
		"lremovexattr": {emulated, xattr{byPath(false), 1, 0, 0}.remove},
		"fremovexattr": {emulated, xattr{byDescriptor, 1, 0, 0}.remove},

		"execve":   {checked, func(c *call) gate.Verdict { return c.execute(here, 0, 0) }},
		"execveat": {checked, func(c *call) gate.Verdict { return c.execute(arg(c, 0), 1, c.Args[4]) }},
	}
	for _, name := range []string{
		"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "statfs", "readlink", "readlinkat",
		"chdir", "inotify_add_watch",
	} {
		table[name] = row{left, nil}
	}
	for name, errno := range map[string]abi.Errno{
		"setxattrat": abi.ENOSYS, "getxattrat": abi.ENOSYS, "listxattrat": abi.ENOSYS, "removexattrat": abi.ENOSYS,
		"file_getattr": abi.ENOSYS, "file_setattr": abi.ENOSYS,
		"open_by_handle_at": abi.EPERM, "name_to_handle_at": abi.EOPNOTSUPP, "fanotify_mark": abi.EPERM, "uselib": abi.ENOSYS,
		"mount": abi.EPERM, "umount2": abi.EPERM, "pivot_root": abi.EPERM, "chroot": abi.EPERM, "open_tree": abi.EPERM,
		"open_tree_attr": abi.ENOSYS, "move_mount": abi.EPERM, "fspick": abi.EPERM, "mount_setattr": abi.EPERM,
		"acct": abi.EPERM, "swapon": abi.EPERM, "swapoff": abi.EPERM, "quotactl": abi.EPERM,
	} {
		table[name] = row{refusing, func(*call) gate.Verdict { return gate.Fail(errno) }}
	}
	return table
}

// changesNames are the calls after which a path may lead elsewhere than before. An
// open that makes a file is none: nothing was there before.
var changesNames = map[string]bool{
	"mkdir": true, "mkdirat": true, "mknod": true, "mknodat": true, "symlink": true, "symlinkat": true,
	"unlink": true, "rmdir": true, "unlinkat": true, "link": true, "linkat": true,
	"rename": true, "renameat": true, "renameat2": true,
}

// readers are the calls that change nothing, so that only hiding patterns matter to
// them.
var readers = map[string]bool{
	"readlink": true, "readlinkat": true, "execve": true, "execveat": true,
	"getxattr": true, "lgetxattr": true, "listxattr": true, "llistxattr": true,
}

// openFlags are the arguments that say what an open is going to do, and changing
// the flags of one that isn't content to read.
var openFlags = map[string]int{"open": 1, "openat": 2}

const changing = syscall.O_WRONLY | syscall.O_RDWR | syscall.O_CREAT | syscall.O_TRUNC | tmpFile

func byPath(follow bool) func(*call) (*spot, error) {
	return func(c *call) (*spot, error) { return c.at(here, 0, follow, false) }
}

func byDescriptor(c *call) (*spot, error) { return c.opened(int32(c.Args[0])) }

func unlinkat(c *call) gate.Verdict {
	flags := uint32(c.Args[2])
	if flags&^removeFolder != 0 {
		return gate.Error(abi.EINVAL)
	}
	return c.unlink(int32(c.Args[0]), 1, flags&removeFolder != 0)
}

// execute looks at what is going to be executed. The kernel reads the path again:
// what it executes in the end, its own walls allow.
func (c *call) execute(folder int32, path int, flags uint64) gate.Verdict {
	s, err := c.at(folder, path, flags&noFollow == 0, flags&emptyPath != 0)
	if err != nil {
		return gate.Continue() // it says better itself what is wrong
	}
	defer s.close()
	if refusal := c.byPattern(s, policy.Execute); refusal != nil {
		return gate.Fail(refusal)
	}
	return gate.Continue()
}
