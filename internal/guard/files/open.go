package files

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// Flags of open that package syscall lacks (include/uapi/asm-generic/fcntl.h).
const (
	modePath = sys.ModePath
	creating = syscall.O_CREAT | syscall.O_WRONLY | syscall.O_TRUNC
	// validFlags are all that open knows (VALID_OPEN_FLAGS in include/linux/fcntl.h);
	// it passes over others, and openat2 refuses them.
	validFlags = syscall.O_ACCMODE | creating | syscall.O_EXCL | syscall.O_NOCTTY | syscall.O_APPEND | syscall.O_NONBLOCK |
		syscall.O_SYNC | syscall.O_DSYNC | syscall.O_ASYNC | syscall.O_DIRECT | syscall.O_DIRECTORY | syscall.O_NOFOLLOW |
		syscall.O_NOATIME | syscall.O_CLOEXEC | tmpFile
	tmpFile = 0o20000000 // O_TMPFILE, without the O_DIRECTORY in it
)

// opening is an open while it is carried out.
type opening struct {
	*call
	flags int
	mode  uint32
	fifo  bool // what is opened is one
}

func (o *opening) has(flag int) bool { return o.flags&flag != 0 }

// want is what the open asks of the file.
func (o *opening) want() policy.Access {
	var want policy.Access
	switch o.flags & syscall.O_ACCMODE {
	case syscall.O_RDONLY:
		want = policy.Read
	case syscall.O_WRONLY:
		want = policy.Write
	default:
		want = policy.Read | policy.Write
	}
	if o.has(syscall.O_CREAT | syscall.O_TRUNC | tmpFile) {
		want |= policy.Write
	}
	return want
}

// openPath serves open, openat and creat.
func (c *call) openPath(folder int32, path, flags int, mode uint32) gate.Verdict {
	if flags&modePath != 0 {
		// By the registers alone. Such a descriptor tells no more than stat does, and
		// whatever is done with it comes by here again.
		return gate.Continue()
	}
	text, err := c.Path(path)
	if err != nil {
		return gate.Done(err)
	}
	o := &opening{call: c, flags: flags & validFlags, mode: mode & 0o7777}
	if text != "" && o.want() == policy.Read {
		if verdict, done := o.direct(folder, text); done {
			return verdict
		}
	}
	s, err := c.find(folder, text, !o.has(syscall.O_NOFOLLOW) && !(o.has(syscall.O_CREAT) && o.has(syscall.O_EXCL)))
	if err != nil {
		return gate.Done(err)
	}
	defer s.close()
	return o.spot(s)
}

// spot opens what stands at a spot, or makes it.
func (o *opening) spot(s *spot) gate.Verdict {
	if s.slash && o.has(syscall.O_CREAT) {
		return gate.Error(abi.EISDIR)
	}
	if s.slash {
		o.flags |= syscall.O_DIRECTORY
	}
	stat, err := sys.StatAt(s.folder, s.name)
	switch {
	case err == syscall.ENOENT && o.has(syscall.O_CREAT):
	case err != nil:
		return gate.Done(err)
	}
	if err := o.decide(s, o.want()); err != nil {
		if stat.Mode == 0 || o.flags&syscall.O_ACCMODE != syscall.O_RDONLY || !o.has(syscall.O_CREAT) || o.has(syscall.O_TRUNC|syscall.O_EXCL) {
			return gate.Done(err)
		}
		o.flags &^= syscall.O_CREAT // it is there, and only to be read
		if err := o.decide(s, o.want()); err != nil {
			return gate.Done(err)
		}
	}
	kind := stat.Mode & syscall.S_IFMT
	o.fifo = kind == syscall.S_IFIFO
	switch {
	case o.fifo && !o.has(syscall.O_NONBLOCK) && o.flags&syscall.O_ACCMODE != syscall.O_RDWR && stat.Nlink > 0:
		return o.wait(s)
	case kind == syscall.S_IFCHR && stat.Rdev == ownTerminal:
		return o.terminal()
	}
	fd, err := o.openOrMake(s, o.flags|syscall.O_NONBLOCK)
	if err == syscall.EAGAIN && !o.has(syscall.O_NONBLOCK) { // somebody has a lease (fcntl(2))
		return o.wait(s)
	}
	if err == nil {
		err = sys.SetStatusFlags(fd, o.flags)
	}
	return o.give(fd, err)
}

// openOrMake is once for what may have to be made, with the target's umask. Where
// something around callgate refuses its threads umasks of their own, they share one.
func (o *opening) openOrMake(s *spot, flags int) (int, error) {
	if !o.has(syscall.O_CREAT | tmpFile) {
		return o.once(s, flags)
	}
	o.creating.Lock()
	defer o.creating.Unlock()
	if err := o.takeUmask(); err != nil {
		return -1, err
	}
	return o.once(s, flags)
}

// once opens a spot. Links are not followed any more, terminals not taken over, and
// nothing is waited for with O_NONBLOCK in the flags.
func (o *opening) once(s *spot, flags int) (int, error) {
	flags |= syscall.O_NOCTTY
	if s.name == "" && o.has(tmpFile) {
		return sys.OpenAt(s.folder, ".", flags, o.mode, 0)
	}
	if s.name == "" {
		return sys.Reopen(s.folder, flags&^(syscall.O_NOFOLLOW|syscall.O_CREAT|syscall.O_EXCL))
	}
	// Not by O_NOFOLLOW, which the target would see (F_GETFL in fcntl(2)).
	mode := o.mode
	if flags&(syscall.O_CREAT|tmpFile) == 0 {
		mode = 0 // which openat2 wants
	}
	return sys.OpenAt(s.folder, s.name, flags, mode, sys.WalkNoLinks)
}

func (o *opening) give(fd int, err error) gate.Verdict {
	if err != nil {
		if fd >= 0 {
			sys.Close(fd)
		}
		return gate.Done(err)
	}
	verdict := gate.Give(sys.Descriptor(fd), o.has(syscall.O_CLOEXEC))
	if o.fifo || o.flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		verdict = verdict.Alone()
	}
	return verdict
}

// ownTerminal is the device of /dev/tty, which is another to each who opens it.
const ownTerminal = 5 << 8

// terminal opens the target's own controlling terminal in callgate's stead.
func (o *opening) terminal() gate.Verdict {
	number, ok := o.controllingTerminal()
	if !ok {
		return gate.Error(abi.ENXIO)
	}
	fd, err := sys.OpenAt(o.top, "dev/pts/"+strconv.Itoa(number), o.flags&^syscall.O_NOFOLLOW|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0, sys.WalkInRoot|sys.WalkNoMagicLinks)
	if err == nil {
		err = sys.SetStatusFlags(fd, o.flags)
	}
	return o.give(fd, err)
}

// controllingTerminal is the number of the target's pseudoterminal (tty_nr in
// proc_pid_stat(5)).
func (c *call) controllingTerminal() (int, bool) {
	text, err := sys.ReadHead("/proc/" + strconv.Itoa(c.Task.TID) + "/stat")
	if err != nil || !c.Waits() {
		return 0, false
	}
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 5 {
		return 0, false
	}
	device, err := strconv.Atoi(fields[4])
	const firstPTS, lastPTS = 136, 143
	major := device >> 8 & 0xfff
	if err != nil || major < firstPTS || major > lastPTS {
		return 0, false
	}
	return (major-firstPTS)<<8 | device&0xff | device>>12&^0xff, true
}

// takeUmask gives the thread the target's file mode mask, for what is made next.
func (c *call) takeUmask() error {
	text, err := sys.ReadShort("/proc/" + strconv.Itoa(c.Task.TID) + "/status")
	if err != nil || !c.Waits() {
		return gate.ErrGone
	}
	mask, err := strconv.ParseUint(lastField(text, "Umask:"), 8, 32)
	if err != nil {
		return abi.EIO
	}
	sys.SetThreadUmask(int(mask))
	return nil
}
