package files

import (
	"encoding/binary"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
)

// howSize is the first version of struct open_how (openat2(2)), and maxHowSize the
// longest that the kernel takes.
const (
	howSize    = 24
	maxHowSize = 4096
)

// openHow is struct open_how.
type openHow struct{ flags, mode, resolve uint64 }

// parseHow reads struct open_how. What follows the part that is known must be
// zero (copy_struct_from_user in include/linux/uaccess.h).
func parseHow(raw []byte) (openHow, error) {
	if len(raw) < howSize {
		return openHow{}, abi.EINVAL
	}
	for _, b := range raw[howSize:] {
		if b != 0 {
			return openHow{}, abi.E2BIG
		}
	}
	order := binary.LittleEndian
	return openHow{order.Uint64(raw), order.Uint64(raw[8:]), order.Uint64(raw[16:])}, nil
}

// openat2 copies its structure once. O_PATH can't be given, and ENOSYS has the
// caller use openat.
func openat2(c *call) gate.Verdict {
	const path, how, size = 1, 2, 3
	length := c.Args[size]
	switch {
	case length < howSize:
		return gate.Error(abi.EINVAL)
	case length > maxHowSize:
		return gate.Error(abi.E2BIG)
	}
	raw, err := c.Bytes(how, int(length))
	if err != nil {
		return gate.Done(err)
	}
	h, err := parseHow(raw)
	if err != nil {
		return gate.Done(err)
	}
	text, err := c.Path(path)
	switch {
	case err != nil:
		return gate.Done(err)
	case h.flags>>32 != 0, h.mode&^0o7777 != 0, h.mode != 0 && h.flags&(syscall.O_CREAT|tmpFile) == 0:
		return gate.Error(abi.EINVAL)
	case h.flags&modePath != 0:
		return gate.Error(abi.ENOSYS)
	}
	o := &opening{call: c, flags: int(h.flags), mode: uint32(h.mode)}
	s, err := o.resolve(int32(c.Args[0]), text, h.resolve)
	if err != nil {
		return gate.Done(err)
	}
	defer s.close()
	if h.resolve != 0 && o.inProc(s) { // what the kernel took for /proc/self is callgate's
		return gate.Error(abi.ENOSYS)
	}
	return o.spot(s)
}

// resolve finds the spot as the structure's resolve flags say. With any of them
// the kernel walks by itself, and what it found is opened; what isn't there is
// made in the folder that it found.
func (o *opening) resolve(folder int32, text string, how uint64) (*spot, error) {
	follow := !o.has(syscall.O_NOFOLLOW) && !(o.has(syscall.O_CREAT) && o.has(syscall.O_EXCL))
	if how == 0 {
		return o.find(folder, text, follow)
	}
	if text == "" {
		return nil, syscall.ENOENT
	}
	base, err := o.base(folder, "relative to the folder")
	if err != nil {
		return nil, err
	}
	defer base.close()
	at := base.fd
	if text[0] == '/' && how&(sys.WalkInRoot|sys.WalkBeneath) == 0 {
		at, how = o.top, how|sys.WalkInRoot
	}
	if how&(sys.WalkInRoot|sys.WalkBeneath) == 0 { // ".." and links must not lead out of the target's root
		return nil, abi.ENOSYS
	}
	if !o.has(syscall.O_CREAT) {
		return walkTo(at, text, sys.ModePath|o.flags&(syscall.O_NOFOLLOW|syscall.O_DIRECTORY), how)
	}
	flags := sys.ModePath
	if !follow {
		flags |= syscall.O_NOFOLLOW
	}
	if s, err := walkTo(at, text, flags, how); err == nil && !o.has(syscall.O_EXCL) {
		return s, nil
	} else if err == nil {
		s.close()
		return nil, abi.EEXIST
	}
	before, name := cutLast(text)
	if before == "" {
		before = "."
	}
	s, err := walkTo(at, before, sys.ModePath|syscall.O_DIRECTORY, how)
	if err != nil {
		return nil, err
	}
	if s.name = name; name == "" || name == "." || name == ".." {
		s.close()
		return nil, abi.EISDIR
	}
	if _, err := sys.ReadLinkAt(s.folder, name); err == nil && follow { // it leads to what is to be made
		s.close()
		return nil, abi.ENOSYS
	}
	return s, nil
}

func walkTo(at int, text string, flags int, how uint64) (*spot, error) {
	fd, err := sys.OpenAt(at, text, flags, 0, how|sys.WalkNoMagicLinks)
	if err != nil {
		return nil, err
	}
	return found(fd)
}
