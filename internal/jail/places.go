package jail

import (
	"path"

	"github.com/callgate/callgate/internal/sys"
)

// Place is a part of the file tree that the walls show the target.
type Place struct {
	Path   string // absolute, without links
	Access Access // none is hidden
}

// Places lists what the target sees of files. Without mounts it is the machine's
// tree that Landlock opens in parts; callgate's own part in deciding about files
// must then end where Landlock's does.
func (s *Spec) Places(mounts bool) []Place {
	var places []Place
	for _, m := range s.Mounts {
		switch m.Kind {
		case Bind, Copy:
			places = append(places, Place{m.Target, m.Access})
		case Private:
			if mounts {
				places = append(places, Place{m.Target, m.Access | Read | Write})
			}
		case Hidden:
			places = append(places, Place{m.Target, 0})
		case Proc, Link, Text:
			places = append(places, Place{m.Target, Read})
		case Dev:
			if mounts {
				places = append(places, Place{m.Target, Read | Write})
				continue
			}
			for _, name := range safeDevices {
				if node := m.Target + "/" + name; !s.hides(node) {
					places = append(places, Place{node, Read | Write})
				}
			}
		}
	}
	return places
}

// RealFolder follows the links of a path as far as there is one: a name that
// isn't there yet can't be a link.
func RealFolder(name string) string {
	var r resolver
	for rest := ""; ; {
		found, err := r.resolve(name)
		if err == nil {
			return path.Join(found.path, rest)
		}
		if name == "/" {
			return path.Join(name, rest)
		}
		name, rest = path.Dir(name), path.Join(path.Base(name), rest)
	}
}

// Identity is whom a thread must become to have the target's rights to files: its
// user, groups and capabilities.
func (s *Spec) Identity() (sys.Becoming, error) {
	host, err := thisHost()
	if err != nil {
		return sys.Becoming{}, err
	}
	drops := host.setsGroups && host.privileged && setgroupsAllowed() // as planPrivileges does
	return sys.Becoming{UID: s.UID, GID: s.GID, Groups: !drops && s.UID < 0, Capabilities: s.Capabilities}, nil
}
