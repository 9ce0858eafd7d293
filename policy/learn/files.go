package learn

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/callgate/callgate/policy"
)

// Entry is a file or folder that a policy shows.
type Entry struct {
	Path     string // absolute
	Access   policy.Access
	Optional bool // may be missing

	real  string // where the path leads, if there are links in it
	made  bool   // the program made it
	users users
}

// outline is what the files of a run come to.
type outline struct {
	place    Place
	siblings int // entries of a folder beyond which it is one
	entries  []Entry

	home, tmp, dev, proc bool              // these were used
	programs             map[string]*users // the folders for temporary files in which programs were made and executed
	notes                []string
}

// maxEntries bounds the files of a document.
const maxEntries = 400

// outlineOf folds files into folders until few enough are left.
func outlineOf(t *tree, place Place) *outline {
	t.unite()
	var o *outline
	for _, siblings := range []int{8, 4, 2, 1} {
		o = &outline{place: place, siblings: siblings}
		o.entries = o.walk(&t.root, "/")
		if len(o.entries) <= maxEntries {
			return o
		}
	}
	o.note("more files were used than a policy may list, in folders that hold too much to be granted whole: those that were used least are left out")
	slices.SortStableFunc(o.entries, func(a, b Entry) int { return b.users.count - a.users.count })
	o.entries = o.entries[:maxEntries]
	slices.SortFunc(o.entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return o
}

// maxNotes bounds what is told at the end.
const maxNotes = 20

func (o *outline) note(format string, args ...any) {
	if len(o.notes) < maxNotes {
		o.notes = append(o.notes, oneLine(fmt.Sprintf(format, args...)))
	}
}

// walk returns the entries for a node and all below it.
func (o *outline) walk(n *node, name string) []Entry {
	if done := o.special(n, name); done {
		return nil
	}
	var below []Entry
	inhabited := 0
	for _, part := range slices.Sorted(maps.Keys(n.children)) {
		entries := o.walk(n.children[part], path.Join(name, part))
		if len(entries) > 0 {
			inhabited++
		}
		below = append(below, entries...)
	}
	if n.folder {
		return o.folder(n, name, below, inhabited)
	}
	return o.file(n, name)
}

// special notes the use of what the program gets of its own: its /proc, its /dev
// and its /tmp.
func (o *outline) special(n *node, name string) (done bool) {
	switch o.place.zoneOf(name) {
	case inProc:
		o.proc = true
		return true
	case inDev:
		o.dev = true
		if name != "/dev" && !isOwnDevice(name) && n.use != 0 {
			o.note("%s is a device that a private /dev lacks: it is not granted", name)
		}
		return name != "/dev"
	case inTmp:
		o.tmp = o.tmp || n.use&(Change|Make|List) != 0 || n.use != 0 && n.folder && len(n.children) == 0
		if n.use&Make != 0 {
			o.executed(n, name)
		}
		return n.use&Make != 0
	}
	if name == o.place.Target.Home && n.use != 0 {
		o.home = true
	}
	return false
}

// executed has a folder for temporary files hold programs, where the program made
// and executed one in there.
func (o *outline) executed(n *node, name string) {
	folder := "/tmp"
	if within(name, "/var/tmp") {
		folder = "/var/tmp"
	}
	n.each(func(n *node) {
		if n.use&Execute == 0 {
			return
		}
		if o.programs == nil {
			o.programs = map[string]*users{}
		}
		if o.programs[folder] == nil {
			o.programs[folder] = &users{}
		}
		o.programs[folder].join(n.users)
	})
}

func (o *outline) file(n *node, name string) []Entry {
	if n.use == 0 || o.place.secret(name) && n.use&^Look == 0 || !o.place.Exists(name) {
		return nil
	}
	e := Entry{Path: name, Access: policy.Read, Optional: passing(name), real: n.real, made: n.use&Make != 0, users: n.users}
	if n.use&Write != 0 {
		e.Access |= policy.Write
	}
	if n.use&Execute != 0 {
		e.Access |= policy.Execute
	}
	return []Entry{e}
}

// folder makes one entry of a folder and what was used in it, where that may be.
func (o *outline) folder(n *node, name string, below []Entry, inhabited int) []Entry {
	if o.place.broad(name) {
		return o.inBroad(n, name, below)
	}
	access := accessOf(n)
	if inhabited > o.siblings || unwritable(below) {
		for _, e := range below {
			access |= e.Access
		}
	}
	if access == 0 && n.use != 0 && len(below) == 0 {
		access = policy.Read // looked at, and nothing else says that it is there
	}
	if access == 0 || !o.place.Exists(name) {
		return below
	}
	whole := Entry{Path: name, Optional: passing(name), real: n.real, made: n.use&Make != 0, users: n.users}
	if access&policy.Write != 0 { // what is mounted in it could not be replaced
		for _, e := range below {
			access |= e.Access
		}
	}
	whole.Access = access
	kept := []Entry{}
	real := realFolder(name, below)
	for _, e := range below {
		if e.Access&^access != 0 || e.real != "" && !within(e.real, name) && !within(e.real, real) {
			kept = append(kept, e)
			continue
		}
		whole.users.join(e.users)
	}
	return append([]Entry{whole}, kept...)
}

// passing reports whether a path is of the moment: the kernel's objects, control
// groups by their names among them, and sockets of services.
func passing(name string) bool {
	return within(name, "/sys") || within(name, "/run") || within(name, "/var/run")
}

func accessOf(n *node) (access policy.Access) {
	if n.use&List != 0 || n.folded {
		access |= policy.Read
	}
	if n.use&Change != 0 || n.folded && n.use&Write != 0 {
		access |= policy.Read | policy.Write
	}
	if n.folded && n.use&Execute != 0 {
		access |= policy.Execute
	}
	return access
}

// inBroad leaves the files of a folder apart. What the program made there it may
// make again, and find or not find.
func (o *outline) inBroad(n *node, name string, below []Entry) []Entry {
	if n.use&Change != 0 && within(name, o.place.Target.Home) {
		o.home = true
		if name == o.place.Target.Home || name == o.place.Target.Dir {
			o.note("%s was changed by %s, and holds too much to be granted whole: only what is there now is granted, by name", name, n.users)
		}
	}
	if n.folded {
		o.note("%s holds too much to be granted whole, and more files of it were used than are kept: name those that the program needs", name)
	}
	for i := range below {
		if below[i].made && path.Dir(below[i].Path) == name {
			below[i].Optional = true
		}
	}
	return below
}

// unwritable reports whether a name among the entries can't be written in a
// document.
func unwritable(entries []Entry) bool {
	return slices.ContainsFunc(entries, func(e Entry) bool { return !writable(e.Path) })
}

// realFolder is where a folder leads, as its files tell: one without a link in its
// path has none in its folder's.
func realFolder(name string, files []Entry) string {
	if slices.ContainsFunc(files, func(f Entry) bool { return f.real == "" }) {
		return name
	}
	for _, f := range files {
		if folder, ok := strings.CutSuffix(f.real, strings.TrimPrefix(f.Path, name)); ok && folder != "" {
			return folder
		}
	}
	return name
}
