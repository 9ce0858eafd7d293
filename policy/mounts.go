package policy

import "slices"

// Mounts returns the file tree that the program sees, each path once and
// parents before what lies in them. The root, and the directories that lead to
// a mount, are empty and read-only but for what is mounted in them.
func (p *Policy) Mounts(t Target) []Mount {
	t = t.complete(p)
	f := &p.Files
	all := make([]Mount, 0, len(f.ReadOnly)+len(f.ReadWrite)+len(f.Exec)+len(f.Hidden)+len(f.Digests)+len(f.Content)+5)
	add := func(list []Path, kind Kind, access Access) {
		for _, item := range list {
			if item.Pattern {
				continue
			}
			all = append(all, Mount{
				Path: t.expand(item.Text), Kind: kind, Access: access,
				Optional: item.Optional || kind == Empty, At: item.At,
			})
		}
	}
	add(f.ReadWrite, Bind, Read|Write)
	add(f.ReadOnly, Bind, Read)
	add(p.Network.Unix.Value, Bind, Read)
	add(f.Exec, Bind, Read|Execute)
	add(f.Hidden, Empty, 0)
	for _, p := range f.Digests {
		all = append(all, Mount{Path: t.expand(p.Path.Text), Kind: Bind, Access: Read | Execute, Digest: p.Digest, At: p.At})
	}
	for _, c := range f.Content {
		all = append(all, Mount{Path: t.expand(c.Path.Text), Kind: Text, Access: Read, Text: c.Text, At: c.At})
	}
	all = unite(all)
	all = placeHome(all, f, t.Home)
	all = place(all, f.Tmp, Tmpfs, "/tmp", "/var/tmp")
	all = place(all, f.Dev, Device, "/dev")
	if f.Dev.Value == Private {
		all = place(all, f.Dev, Tmpfs, "/dev/shm")
	}
	all = place(all, f.Proc, Proc, "/proc")
	slices.SortFunc(all, byPath)
	return dropNeedless(all)
}

// byPath sorts a directory right before all that lies in it: '/' comes first.
func byPath(a, b Mount) int {
	for i := range min(len(a.Path), len(b.Path)) {
		x, y := a.Path[i], b.Path[i]
		switch {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return int(x) - int(y)
		}
	}
	return len(a.Path) - len(b.Path)
}

// unite makes one mount of those of the same path: what one of them allows is
// allowed, but hidden is hidden.
func unite(all []Mount) []Mount {
	slices.SortStableFunc(all, byPath)
	out := all[:0]
	for _, m := range all {
		if len(out) == 0 || out[len(out)-1].Path != m.Path {
			out = append(out, m)
			continue
		}
		last := &out[len(out)-1]
		switch {
		case m.Kind == Empty || last.Kind == Empty:
			*last = Mount{Path: m.Path, Kind: Empty, Optional: true, At: last.At}
			continue
		case m.Kind == Text || last.Kind == Text:
			if m.Kind == Text {
				*last = m
			}
			continue
		}
		last.Access |= m.Access
		last.Optional = last.Optional && m.Optional
		if last.Digest.IsZero() {
			last.Digest = m.Digest
		}
		if !last.Digest.IsZero() {
			last.Access &^= Write // of a copy
		}
	}
	return out
}

// place puts the directories of a Place into the tree. A path listed under exec
// may be executed there too; other lists have no say, as Check tells.
func place(all []Mount, setting Setting[Place], private Kind, paths ...string) []Mount {
	for _, path := range paths {
		m := Mount{Path: path, Kind: private, Access: Read | Write, At: setting.At}
		switch {
		case setting.Value == Host:
			m.Kind = Bind
		case private != Tmpfs:
			m.Access = Read // the devices themselves can be written to
		}
		if i := slices.IndexFunc(all, func(o Mount) bool { return o.Path == path }); i >= 0 {
			if all[i].Kind == Empty || setting.Value == None {
				continue
			}
			m.Access |= all[i].Access
			m.Digest = all[i].Digest // which no folder has: the jail says so
			all = slices.Delete(all, i, i+1)
		} else if setting.Value == None {
			continue
		}
		all = append(all, m)
	}
	return all
}

// placeHome puts the home directory into the tree, unless a list names it or a
// directory around it: system users live in places such as /usr/sbin.
func placeHome(all []Mount, f *Files, home string) []Mount {
	setting := f.Home
	if _, named := mountOf(all, home); named || setting.Value == None || home == "/" || isBelow(home, "/proc") || isBelow(home, "/dev") {
		return all
	}
	m := Mount{Path: home, Kind: Tmpfs, Access: Read | Write | Execute, At: setting.At}
	if setting.Value == Host {
		m.Kind = Bind
	}
	if f.ExecOnly.Value {
		m.Access &^= Execute
	}
	return append(all, m)
}

// dropNeedless removes hidden paths that lie in nothing visible, or in a tree
// that is empty anyway. The mounts are
// sorted by path.
func dropNeedless(all []Mount) []Mount {
	kept := all[:0]
	var around []Mount // the visible mounts that the path lies in
	for _, m := range all {
		for len(around) > 0 && !isBelow(m.Path, around[len(around)-1].Path) {
			around = around[:len(around)-1]
		}
		if m.Kind != Empty {
			around = append(around, m)
		} else if len(around) == 0 || around[len(around)-1].Kind == Tmpfs {
			continue
		}
		kept = append(kept, m)
	}
	return kept
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
