package files

import (
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// grant is what was allowed for the whole run: a file, or a folder with all in it
// of which the policy says nothing else: that it shows or hides it.
type grant struct {
	path   string
	access policy.Access
	hidden string // the line that hides the path itself, or ""
}

// ticket names what was allowed once: one use of a file by one process.
type ticket struct {
	process string // its number, and when it was started
	path    string
}

// uses are what is left of a use: an open for reading, after a look. Looks at a
// file that was once opened, or looked at, tell nothing new.
type uses struct{ read bool }

// lent is a file that the target was given from the machine's own tree. By its
// name alone it could be one in a private place of the target's.
type lent struct {
	path string
	read bool // some descriptor of it may be read
}

// maxLent bounds the files that are lent in a run, so that none is forgotten.
const maxLent = 10000

// lend records that a file is going to be given, or fails.
func (l *Lifter) lend(fd int, path string, want policy.Access) error {
	file, err := sys.MountedOf(fd)
	if err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.lent == nil {
		l.lent = map[sys.Mounted]lent{}
	}
	if len(l.lent) >= maxLent {
		return syscall.ENFILE
	}
	l.lent[file] = lent{path, l.lent[file].read || want&policy.Read != 0}
	return nil
}

// lentTo decides about a file at a spot that was lent: whoever has a descriptor of
// it may do no more with it than was allowed. It is false for all others.
func (l *Lifter) lentTo(s *spot, want policy.Access) (is bool, err error) {
	if l == nil || s.name != "" { // it has no name in the target's tree
		return false, nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.lent) == 0 {
		return false, nil
	}
	file, err := sys.MountedOf(s.folder)
	if err != nil {
		return true, err
	}
	known, is := l.lent[file]
	if is && !(want == policy.Read && known.read) && !l.granted(known.path, want) {
		return true, abi.EACCES
	}
	return is, nil
}

// granted reports whether something was allowed for good. It needs the lock.
func (l *Lifter) granted(name string, want policy.Access) bool {
	return slices.ContainsFunc(l.grants, func(g grant) bool {
		switch {
		case want&^g.access != 0:
			return false
		case name == g.path:
			return true
		case !strings.HasPrefix(name, g.path+"/") || l.withholdsBelow(g.path, name):
			return false
		}
		_, hidden := l.withheld(name, want, false)
		return hidden == g.hidden // whoever allowed the folder was told of no other line
	})
}

// maxTickets bounds what is remembered of single answers.
const maxTickets = 1000

// process names the process that makes a call among all that there were.
func (r *request) process() (string, bool) {
	pid := strconv.Itoa(r.Identify().PID)
	start, err := sys.StartOf(pid)
	return pid + " " + start, err == nil && r.Waits()
}

// allows reports whether a request was answered before, and uses up what was
// allowed once.
func (l *Lifter) allows(r *request, found *find) bool {
	name := found.full()
	want := r.want
	if want == 0 {
		want = policy.Read
	}
	process, known := r.process()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.granted(name, want) {
		return true
	}
	if !known {
		return false
	}
	key := ticket{process, name}
	left, ok := l.tickets[key]
	switch {
	case !ok:
		return false
	case r.look != nil:
		return r.want == 0 || left.read && r.want == policy.Read
	case left.read && r.want == policy.Read && found.name == "":
		l.tickets[key] = uses{}
		return true
	}
	return false
}

// withholdsBelow reports whether the policy says something of a path's own between
// it and a folder that was allowed.
func (l *Lifter) withholdsBelow(folder, name string) bool {
	for at := name; at != folder && at != "/"; at = parent(at) {
		if _, ok := l.handler.places[at]; ok {
			return true
		}
	}
	return false
}

// remember keeps an answer that allowed a request.
func (l *Lifter) remember(r *request, found *find, forGood bool) {
	process, known := r.process()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if forGood {
		access := r.want | policy.Read
		_, hidden := l.withheld(found.path, access, false)
		l.grants = append(l.grants, grant{found.path, access, hidden}) // of what was made, the folder, as the policy would have it
	}
	if !known {
		return
	}
	if l.tickets == nil || len(l.tickets) >= maxTickets {
		l.tickets = map[ticket]uses{}
	}
	l.tickets[ticket{process, found.full()}] = uses{read: r.look != nil && r.want&policy.Write == 0}
}
