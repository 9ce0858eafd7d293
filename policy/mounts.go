package policy

import (
	"slices"
	"strings"
)

// Mounts returns the file tree that the program sees, each path once and
// parents before what lies in them. The root, and the directories that lead to
// a mount, are empty and read-only but for what is mounted in them.
func (p *Policy) Mounts(t Target) []Mount {
	t = t.complete(p)
	f := &p.Files
	var all []Mount
	add := func(list []Path, kind Kind, access Access) {
		for _, item := range list {
			all = append(all, Mount{Path: t.expand(item.Text), Kind: kind, Access: access,
				Optional: item.Optional || kind == Empty, At: item.At})
		}
	}
	add(f.ReadWrite, Bind, Read|Write)
	add(f.ReadOnly, Bind, Read)
	add(f.Exec, Bind, Read|Execute)
	add(f.Hidden, Empty, 0)
	all = unite(all)
	all = place(all, f.Tmp, Tmpfs, "/tmp", "/var/tmp")
	all = place(all, f.Dev, Device, "/dev")
	if f.Dev.Value == Private {
		all = place(all, f.Dev, Tmpfs, "/dev/shm")
	}
	all = place(all, f.Proc, Proc, "/proc")
	slices.SortFunc(all, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	return slices.DeleteFunc(all, func(m Mount) bool {
		return m.Kind == Empty && !hasVisibleParent(all, m.Path)
	})
}

// unite makes one mount of those of the same path: what one of them allows is
// allowed, but hidden is hidden.
func unite(all []Mount) []Mount {
	slices.SortStableFunc(all, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	out := all[:0]
	for _, m := range all {
		if len(out) == 0 || out[len(out)-1].Path != m.Path {
			out = append(out, m)
			continue
		}
		last := &out[len(out)-1]
		if m.Kind == Empty || last.Kind == Empty {
			last.Kind, last.Access = Empty, 0
			continue
		}
		last.Access |= m.Access
		last.Optional = last.Optional && m.Optional
	}
	return out
}

// place puts the directories of a Place into the tree. A path listed under exec
// may be executed there too; other lists have no say, as Check tells.
func place(all []Mount, setting Setting[Place], private Kind, paths ...string) []Mount {
	for _, path := range paths {
		m := Mount{Path: path, Kind: private, Access: Read | Write, At: setting.At}
		if setting.Value == Host {
			m.Kind = Bind
		}
		if i := slices.IndexFunc(all, func(o Mount) bool { return o.Path == path }); i >= 0 {
			if all[i].Kind == Empty || setting.Value == None {
				continue
			}
			m.Access |= all[i].Access
			all = slices.Delete(all, i, i+1)
		} else if setting.Value == None {
			continue
		}
		all = append(all, m)
	}
	return all
}

func hasVisibleParent(all []Mount, path string) bool {
	return slices.ContainsFunc(all, func(m Mount) bool {
		return m.Kind != Empty && m.Path != path && isBelow(path, m.Path)
	})
}

// isBelow reports whether path is dir or lies in it.
func isBelow(path, dir string) bool {
	if dir == "/" || path == dir {
		return true
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// mountOf returns the mount that decides about a path: the most specific.
func mountOf(all []Mount, path string) (Mount, bool) {
	for _, m := range slices.Backward(all) {
		if isBelow(path, m.Path) {
			return m, true
		}
	}
	return Mount{}, false
}
