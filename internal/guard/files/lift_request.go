package files

import (
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// request is a call that opens a file, or looks at one.
type request struct {
	*call
	lifter  *Lifter
	folder  int32 // that the path begins at
	path    int   // argument
	follow  bool  // the last name's link, too
	want    policy.Access
	creates bool                     // an open that makes what isn't there
	look    func(*find) gate.Verdict // nil for an open
	flags   int                      // of an open
	mode    uint32
}

// lookers are the calls that tell of a file, and openers those that open one.
var (
	lookers = []string{"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat"}
	openers = []string{"open", "openat", "openat2", "creat"}
)

// read fills in what a call asks for. It is false for what is left to the kernel.
func (r *request) read(name string) bool {
	r.folder, r.follow = here, true
	fold := func() { r.folder, r.path = int32(r.Args[0]), 1 }
	switch name {
	case "open":
		return r.opens(int(int32(r.Args[1])), uint32(r.Args[2]))
	case "creat":
		return r.opens(creating, uint32(r.Args[1]))
	case "openat":
		fold()
		return r.opens(int(int32(r.Args[2])), uint32(r.Args[3]))
	case "openat2":
		fold()
		return r.opensAs()
	case "stat", "lstat":
		r.follow = name == "stat"
		r.look = r.stat(r.Args[1])
	case "newfstatat":
		fold()
		r.follow = r.Args[3]&noFollow == 0
		r.look = r.stat(r.Args[2])
	case "statx":
		fold()
		r.follow = r.Args[2]&noFollow == 0
		r.look = r.statx()
	case "access":
		return r.asksAccess(r.Args[1])
	case "faccessat", "faccessat2":
		fold()
		r.follow = name == "faccessat" || r.Args[3]&noFollow == 0
		return r.asksAccess(r.Args[2])
	case "readlink", "readlinkat":
		if name == "readlinkat" {
			fold()
		}
		r.follow = false
		r.look = r.readLink()
	default:
		return false
	}
	return true
}

// opens fills in an open. What only names a file, and what makes one without a
// name, is not lifted.
func (r *request) opens(flags int, mode uint32) bool {
	o := opening{call: r.call, flags: flags & validFlags}
	r.flags, r.mode = o.flags, mode&0o7777
	r.want = o.want()
	r.creates = o.has(syscall.O_CREAT)
	r.follow = !o.has(syscall.O_NOFOLLOW) && !(r.creates && o.has(syscall.O_EXCL))
	return flags&modePath == 0 && !o.has(tmpFile)
}

// opensAs fills in an openat2, where it is no other than an openat.
func (r *request) opensAs() bool {
	const how, size = 2, 3
	if r.Args[size] < howSize || r.Args[size] > maxHowSize {
		return false
	}
	raw, err := r.Bytes(how, int(r.Args[size]))
	if err != nil {
		return false
	}
	h, err := parseHow(raw)
	return err == nil && h.resolve == 0 && h.flags&^validFlags == 0 && h.mode&^0o7777 == 0 && r.opens(int(h.flags), uint32(h.mode))
}

// asksAccess fills in access. What may be executed is not lifted.
func (r *request) asksAccess(mode uint64) bool {
	const execute, write, read = 1, 2, 4
	if mode&write != 0 {
		r.want |= policy.Write
	}
	if mode&read != 0 {
		r.want |= policy.Read
	}
	r.look = func(*find) gate.Verdict { return gate.Return(0) } // mayAll asked the kernel
	return mode&^(write|read) == 0
}

// stat tells of what was found as stat(2) does.
func (r *request) stat(buffer uint64) func(*find) gate.Verdict {
	return func(found *find) gate.Verdict {
		raw, err := sys.StatRaw(found.fd)
		if err == nil {
			err = r.Write(buffer, raw)
		}
		return gate.Done(err)
	}
}

func (r *request) statx() func(*find) gate.Verdict {
	const flags, mask, buffer = 2, 3, 4
	const syncType = 0x6000 // AT_STATX_SYNC_TYPE
	return func(found *find) gate.Verdict {
		raw, err := sys.StatxRaw(found.fd, int(r.Args[flags]&syncType), uint32(r.Args[mask]))
		if err == nil {
			err = r.Write(r.Args[buffer], raw)
		}
		return gate.Done(err)
	}
}

func (r *request) readLink() func(*find) gate.Verdict {
	return func(found *find) gate.Verdict {
		text, err := sys.ReadLinkAt(found.fd, "")
		if err == syscall.ENOENT { // so says the kernel of what is no link, and has no name
			err = syscall.EINVAL
		}
		if size := int32(r.Args[r.path+2]); err == nil && size <= 0 {
			err = syscall.EINVAL
		} else if err == nil {
			text = text[:min(len(text), int(size))]
			err = r.Write(r.Args[r.path+1], []byte(text))
		}
		if err != nil {
			return gate.Done(err)
		}
		return gate.Return(int64(len(text)))
	}
}

// give opens what was found, with the access that was asked about and no more, and
// makes it the target's.
func (r *request) give(found *find) gate.Verdict {
	const never = syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW
	flags := r.flags | syscall.O_NONBLOCK | syscall.O_NOCTTY // nothing is waited for
	var fd int
	var err error
	if found.name == "" {
		fd, err = sys.Reopen(found.fd, flags&^never)
	} else {
		fd, err = r.make(found, flags|never)
	}
	if err != nil {
		return gate.Done(err)
	}
	err = sys.SetStatusFlags(fd, r.flags)
	if err == nil {
		err = r.lifter.lend(fd, found.full(), r.want)
	}
	if err != nil {
		sys.Close(fd)
		return gate.Done(err)
	}
	verdict := gate.Give(sys.Descriptor(fd), r.flags&syscall.O_CLOEXEC != 0)
	if r.want != policy.Read {
		verdict = verdict.Alone()
	}
	return verdict
}

// make makes a file where there was none, and still is none.
func (r *request) make(found *find, flags int) (int, error) {
	r.creating.Lock()
	defer r.creating.Unlock()
	if err := r.takeUmask(); err != nil {
		return -1, err
	}
	fd, err := sys.OpenAt(found.fd, found.name, flags, r.mode, 0)
	if err == syscall.EEXIST {
		err = &gate.Refusal{Errno: abi.EACCES, Why: movedWhy}
	}
	return fd, err
}
