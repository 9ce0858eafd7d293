package files

import (
	"encoding/binary"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

func (c *call) chmod(folder int32, path int, flags uint64) gate.Verdict {
	if !atFlags(flags) {
		return gate.Error(abi.EINVAL)
	}
	mode := uint32(c.Args[path+1]) & 0o7777
	return c.change(folder, path, flags&noFollow == 0, flags&emptyPath != 0, func(s *spot) error {
		if stat, err := sys.StatAt(s.folder, s.name); err != nil || stat.Mode&syscall.S_IFMT == syscall.S_IFLNK {
			return orElse(err, abi.EOPNOTSUPP)
		}
		return sys.ChmodAt(s.folder, s.name, mode)
	})
}

// fchmodat2 is there where the kernel has it.
func fchmodat2(c *call) gate.Verdict {
	if !sys.HasChmodFlags() {
		return gate.Error(abi.ENOSYS)
	}
	return c.chmod(int32(c.Args[0]), 1, uint64(uint32(c.Args[3])))
}

// atFlags reports whether a call that changes a file knows the flags.
func atFlags(flags uint64) bool { return flags&^(noFollow|emptyPath) == 0 }

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (c *call) chown(folder int32, path int, flags uint64) gate.Verdict {
	if !atFlags(flags) {
		return gate.Error(abi.EINVAL)
	}
	uid, gid := int(int32(c.Args[path+1])), int(int32(c.Args[path+2]))
	return c.change(folder, path, flags&noFollow == 0, flags&emptyPath != 0, func(s *spot) error {
		return sys.ChownAt(s.folder, s.name, uid, gid)
	})
}

// truncate changes the length, which setrlimit may bound. The signal that the
// kernel would send beside the error is not.
func (c *call) truncate() gate.Verdict {
	length := int64(c.Args[1])
	return c.change(here, 0, true, false, func(s *spot) error {
		if length < 0 {
			return abi.EINVAL
		}
		switch stat, err := sys.StatAt(s.folder, s.name); {
		case err != nil:
			return err
		case stat.Mode&syscall.S_IFMT == syscall.S_IFDIR:
			return abi.EISDIR
		case stat.Mode&syscall.S_IFMT != syscall.S_IFREG:
			return abi.EINVAL
		}
		if limit, err := sys.FileSizeLimit(c.Task.TID); err != nil || uint64(length) > limit {
			return orElse(err, abi.EFBIG)
		}
		o := &opening{call: c}
		fd, err := o.once(s, syscall.O_WRONLY|syscall.O_NONBLOCK)
		if err != nil {
			return err
		}
		defer sys.Close(fd)
		return sys.Truncate(fd, length)
	})
}

// times sets the times of a file, which the argument after the path holds in a
// form that parse reads.
func (c *call) times(folder int32, path, argument int, flags uint64, size int, parse func([]byte) ([2]sys.Timespec, error)) gate.Verdict {
	var times *[2]sys.Timespec
	if c.Args[argument] != 0 {
		raw, err := c.Bytes(argument, size)
		if err != nil {
			return gate.Done(err)
		}
		read, err := parse(raw)
		if err != nil {
			return gate.Done(err)
		}
		times = &read
	}
	if !atFlags(flags) {
		return gate.Error(abi.EINVAL)
	}
	set := func(s *spot) error { return sys.SetTimesAt(s.folder, s.name, times) }
	if c.Args[path] == 0 && folder != here { // futimens
		return c.changeObject(folder, set)
	}
	return c.change(folder, path, flags&noFollow == 0, flags&emptyPath != 0, set)
}

func number(raw []byte) int64 { return int64(binary.LittleEndian.Uint64(raw)) }

// parseTimespecs reads two struct timespec. What is in them the kernel checks.
func parseTimespecs(raw []byte) ([2]sys.Timespec, error) {
	var t [2]sys.Timespec
	for i := range t {
		t[i] = sys.Timespec{Sec: number(raw[16*i:]), Nsec: number(raw[16*i+8:])}
	}
	return t, nil
}

// parseTimevals reads two struct timeval, as utimes and futimesat take them.
func parseTimevals(raw []byte) ([2]sys.Timespec, error) {
	t, _ := parseTimespecs(raw)
	for i := range t {
		if t[i].Nsec < 0 || t[i].Nsec >= 1e6 {
			return t, abi.EINVAL
		}
		t[i].Nsec *= 1000
	}
	return t, nil
}

// parseUtimbuf reads struct utimbuf.
func parseUtimbuf(raw []byte) ([2]sys.Timespec, error) {
	return [2]sys.Timespec{{Sec: number(raw)}, {Sec: number(raw[8:])}}, nil
}

// maxAttribute is the longest name and the longest value of an extended attribute
// (XATTR_NAME_MAX and XATTR_SIZE_MAX in include/uapi/linux/limits.h).
const (
	maxAttributeName = 255
	maxAttribute     = 65536
)

// xattr is a call on an extended attribute: where its arguments are.
type xattr struct {
	find        func(*call) (*spot, error)
	name, value int // arguments; the size follows the value
	flags       int
}

func (c *call) attributeName(i int) (string, error) {
	name, err := c.Path(i)
	switch {
	case err != nil:
		return "", err
	case name == "" || len(name) > maxAttributeName:
		return "", abi.ERANGE
	}
	return name, nil
}

func (x xattr) set(c *call) gate.Verdict {
	name, err := c.attributeName(x.name)
	if err != nil {
		return gate.Done(err)
	}
	size := c.Args[x.value+1]
	if size > maxAttribute {
		return gate.Error(abi.E2BIG)
	}
	value, err := c.Bytes(x.value, int(size))
	if err != nil {
		return gate.Done(err)
	}
	s, err := x.find(c)
	return c.changeSpot(s, err, func(s *spot) error {
		return sys.SetAttribute(s.folder, s.name, name, value, int(int32(c.Args[x.flags])))
	})
}

func (x xattr) remove(c *call) gate.Verdict {
	name, err := c.attributeName(x.name)
	if err != nil {
		return gate.Done(err)
	}
	s, err := x.find(c)
	return c.changeSpot(s, err, func(s *spot) error { return sys.RemoveAttribute(s.folder, s.name, name) })
}

// get serves the calls that fill a buffer with an attribute, or with the names of
// all where there is no name.
func (x xattr) get(c *call) gate.Verdict {
	name := ""
	if x.name >= 0 {
		var err error
		if name, err = c.attributeName(x.name); err != nil {
			return gate.Done(err)
		}
	}
	return c.fill(x.value, c.Args[x.value+1], x.find, func(s *spot, room []byte) (int, error) {
		if x.name < 0 {
			return sys.ListAttributes(s.folder, s.name, room)
		}
		return sys.GetAttribute(s.folder, s.name, name, room)
	})
}

// fill reads something of a file into the target's buffer.
func (c *call) fill(buffer int, size uint64, find func(*call) (*spot, error), read func(*spot, []byte) (int, error)) gate.Verdict {
	s, err := find(c)
	if err != nil {
		return gate.Done(err)
	}
	defer s.close()
	if err := c.isFolderIfSaid(s); err != nil {
		return gate.Done(err)
	}
	if err := c.decide(s, policy.Read); err != nil {
		_, missing := sys.StatAt(s.folder, s.name)
		return gate.Done(orElse(missing, err))
	}
	room := make([]byte, min(size, maxAttribute))
	n, err := read(s, room)
	if err != nil {
		return gate.Done(err)
	}
	if n > len(room) || len(room) == 0 { // only asked how much there is
		return gate.Return(int64(n))
	}
	if err := c.Write(c.Args[buffer], room[:n]); err != nil {
		return gate.Done(err)
	}
	return gate.Return(int64(n))
}

func fchmod(c *call) gate.Verdict {
	return c.changeObject(int32(c.Args[0]), func(s *spot) error { return sys.ChmodAt(s.folder, "", uint32(c.Args[1])&0o7777) })
}

func fchown(c *call) gate.Verdict {
	return c.changeObject(int32(c.Args[0]), func(s *spot) error {
		return sys.ChownAt(s.folder, "", int(int32(c.Args[1])), int(int32(c.Args[2])))
	})
}
