package files

import (
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// Flags of the calls with an "at" in their names (include/uapi/linux/fcntl.h).
const (
	noFollow     = 0x100  // AT_SYMLINK_NOFOLLOW
	removeFolder = 0x200  // AT_REMOVEDIR
	followLink   = 0x400  // AT_SYMLINK_FOLLOW, of linkat
	emptyPath    = 0x1000 // AT_EMPTY_PATH
)

// at finds the spot of a path argument, which may be the file of the descriptor
// before it where flags say so.
func (c *call) at(folder int32, path int, follow, mayBeEmpty bool) (*spot, error) {
	text, err := c.Path(path)
	if err != nil {
		return nil, err
	}
	if text == "" && mayBeEmpty {
		return c.object(folder)
	}
	return c.find(folder, text, follow)
}

// change has do change the file at a path, if the policy lets it be written to.
func (c *call) change(folder int32, path int, follow, mayBeEmpty bool, do func(*spot) error) gate.Verdict {
	s, err := c.at(folder, path, follow, mayBeEmpty)
	return c.changeSpot(s, err, do)
}

// changeObject is change for the file that a descriptor leads to.
func (c *call) changeObject(descriptor int32, do func(*spot) error) gate.Verdict {
	s, err := c.opened(descriptor)
	return c.changeSpot(s, err, do)
}

func (c *call) changeSpot(s *spot, err error, do func(*spot) error) gate.Verdict {
	if err == nil {
		defer s.close()
		err = c.isFolderIfSaid(s)
	}
	if err == nil {
		if err = c.decide(s, policy.Write); err != nil {
			_, missing := sys.StatAt(s.folder, s.name)
			err = orElse(missing, err)
		}
	}
	if err == nil {
		err = do(s)
	}
	return gate.Done(err)
}

// isFolderIfSaid refuses "file/".
func (c *call) isFolderIfSaid(s *spot) error {
	if !s.slash || s.name == "" {
		return nil
	}
	stat, err := sys.StatAt(s.folder, s.name)
	if err == nil && stat.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		return abi.ENOTDIR
	}
	return err
}

// create has do make something new at a path.
func (c *call) create(folder int32, path int, isFolder bool, do func(*spot) error) gate.Verdict {
	s, err := c.at(folder, path, false, false)
	if err != nil {
		return gate.Done(err)
	}
	defer s.close()
	_, missing := sys.StatAt(s.folder, s.name)
	switch {
	case s.name == "" || missing == nil:
		return gate.Error(abi.EEXIST)
	case s.slash && !isFolder:
		return gate.Error(abi.ENOENT)
	}
	if err = c.decide(s, policy.Write); err == nil {
		err = do(s)
	}
	return gate.Done(err)
}

func (c *call) mkdir(folder int32, path int) gate.Verdict {
	return c.create(folder, path, true, func(s *spot) error {
		if err := c.takeUmask(); err != nil {
			return err
		}
		return sys.MkdirAt(s.folder, s.name, uint32(c.Args[path+1])&0o7777)
	})
}

func (c *call) mknod(folder int32, path int) gate.Verdict {
	switch uint32(c.Args[path+1]) & syscall.S_IFMT {
	case 0, syscall.S_IFREG, syscall.S_IFCHR, syscall.S_IFBLK, syscall.S_IFIFO, syscall.S_IFSOCK:
	case syscall.S_IFDIR:
		return gate.Error(abi.EPERM)
	default:
		return gate.Error(abi.EINVAL)
	}
	return c.create(folder, path, false, func(s *spot) error {
		if err := c.takeUmask(); err != nil {
			return err
		}
		return sys.MknodAt(s.folder, s.name, uint32(c.Args[path+1]), uint64(uint32(c.Args[path+2])))
	})
}

func (c *call) symlink(folder int32, path int) gate.Verdict {
	text, err := c.Path(0)
	if err == nil && text == "" {
		err = abi.ENOENT
	}
	if err != nil {
		return gate.Done(err)
	}
	return c.create(folder, path, false, func(s *spot) error { return sys.SymlinkAt(text, s.folder, s.name) })
}

func (c *call) unlink(folder int32, path int, isFolder bool) gate.Verdict {
	return c.change(folder, path, false, false, func(s *spot) error {
		switch {
		case s.name == "" && isFolder:
			return c.noName(path)
		case s.name == "" || s.slash && !isFolder:
			return abi.EISDIR
		}
		return sys.UnlinkAt(s.folder, s.name, isFolder)
	})
}

// noName is why a folder is not removed whose path ends in no name.
func (c *call) noName(path int) error {
	text, _ := c.Path(path)
	switch _, last := cutLast(strings.TrimRight(text, "/")); last {
	case ".":
		return abi.EINVAL
	case "..":
		return abi.ENOTEMPTY
	}
	return abi.EBUSY
}

// two finds the spots of a call with an old name and a new one.
func (c *call) two(oldFolder int32, oldPath int, newFolder int32, newPath int, follow, mayBeEmpty bool) (old, fresh *spot, err error) {
	if old, err = c.at(oldFolder, oldPath, follow, mayBeEmpty); err != nil {
		return nil, nil, err
	}
	if fresh, err = c.at(newFolder, newPath, false, false); err != nil {
		old.close()
		return nil, nil, err
	}
	return old, fresh, nil
}

// link gives a file a second name: one that lets be done no more with it.
func (c *call) link(oldFolder int32, oldPath int, newFolder int32, newPath int, flags uint64) gate.Verdict {
	if flags&^(followLink|emptyPath) != 0 {
		return gate.Error(abi.EINVAL)
	}
	old, fresh, err := c.two(oldFolder, oldPath, newFolder, newPath, flags&followLink != 0, flags&emptyPath != 0)
	if err != nil {
		return gate.Done(err)
	}
	defer old.close()
	defer fresh.close()
	if _, err := sys.StatAt(old.folder, old.name); err != nil {
		return gate.Done(err)
	}
	if _, err := sys.StatAt(fresh.folder, fresh.name); err == nil || fresh.name == "" {
		return gate.Error(abi.EEXIST)
	}
	if fresh.slash || old.slash {
		return gate.Error(abi.ENOENT)
	}
	if err := c.decide(fresh, policy.Write); err != nil {
		return gate.Done(err)
	}
	if err := c.decide(old, policy.Read|policy.Write); err != nil {
		return gate.Done(err)
	}
	return gate.Done(sys.LinkAt(old.folder, old.name, fresh.folder, fresh.name))
}

// rename moves what may be written to, to where it may. A folder goes nowhere
// where the patterns mean something else for what is in it: programs such as mv
// take EXDEV for two file systems, and copy it file by file.
func (c *call) rename(oldFolder int32, oldPath int, newFolder int32, newPath int, flags uint) gate.Verdict {
	old, fresh, err := c.two(oldFolder, oldPath, newFolder, newPath, false, false)
	if err != nil {
		return gate.Done(err)
	}
	defer old.close()
	defer fresh.close()
	if old.name == "" || fresh.name == "" {
		return gate.Error(abi.EBUSY)
	}
	oldStat, err := sys.StatAt(old.folder, old.name)
	if err != nil {
		return gate.Done(err)
	}
	freshStat, freshErr := sys.StatAt(fresh.folder, fresh.name)
	isFolder := oldStat.Mode&syscall.S_IFMT == syscall.S_IFDIR
	switch {
	case !isFolder && (old.slash || fresh.slash):
		return gate.Error(abi.ENOTDIR)
	case flags&sys.RenameExchange != 0 && freshErr == nil:
		isFolder = isFolder || freshStat.Mode&syscall.S_IFMT == syscall.S_IFDIR
	}
	for _, s := range []*spot{old, fresh} {
		if err := c.decide(s, policy.Write); err != nil {
			return gate.Done(err)
		}
	}
	if isFolder && c.below(old) != c.below(fresh) {
		return gate.Fail(&gate.Refusal{Errno: abi.EXDEV, Why: event.Why{
			Text: "a pattern means something else for what is in " + old.full() + " than it would in " + fresh.full(),
			Wall: policy.WallPatterns,
		}})
	}
	return gate.Done(sys.RenameAt(old.folder, old.name, fresh.folder, fresh.name, flags))
}

// below is the standing of what a folder at the spot would be.
func (c *call) below(s *spot) policy.Standing {
	return c.standing.of(s.full())
}
