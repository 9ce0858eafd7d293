package jail

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/callgate/callgate/policy"
)

// tree gathers the mounts of a policy, resolved on the host.
type tree struct {
	home   string
	mounts map[string]Mount  // by target
	links  map[string]string // links that lead to targets

	absent   []Absent
	inTheWay []string // files where a protected path needs a folder

	resolver resolver
}

// mountsOf turns a policy's file tree into mounts: paths are followed to where
// they lead on this host, what is missing and may be is left out, and nothing
// is mounted twice.
func mountsOf(p *policy.Policy, t policy.Target) ([]Mount, []Absent, error) {
	b := &tree{home: t.Home, mounts: map[string]Mount{}, links: map[string]string{}}
	var hidden, texts []policy.Mount
	for _, m := range p.Mounts(t) {
		switch m.Kind {
		case policy.Empty:
			hidden = append(hidden, m)
			continue
		case policy.Text:
			texts = append(texts, m)
			continue
		}
		if err := b.add(m); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range hidden {
		if err := b.hide(m); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range texts {
		if err := b.content(m); err != nil {
			return nil, nil, err
		}
	}
	if p.Network.Mode.Value == policy.RelayNetwork {
		if err := b.relayFiles(p, t); err != nil {
			return nil, nil, err
		}
	}
	b.block()
	b.pin()
	if err := b.checkCopies(); err != nil {
		return nil, nil, err
	}
	return b.list(), b.makeable(), nil
}

func (b *tree) add(m policy.Mount) error {
	access := Access(m.Access)
	switch m.Kind {
	case policy.Tmpfs:
		b.mounts[m.Path] = Mount{Kind: Private, Target: m.Path, Access: access, Folder: true, own: m.Path == b.home}
		return nil
	case policy.Device:
		b.mounts[m.Path] = Mount{Kind: Dev, Target: m.Path, Folder: true}
		return nil
	case policy.Proc:
		b.mounts[m.Path] = Mount{Kind: Proc, Target: m.Path, Folder: true}
		return nil
	}
	r, err := b.resolver.resolve(m.Path)
	if err != nil {
		if m.Optional && unseen(err) {
			b.miss(m, err)
			return nil
		}
		if !m.Digest.IsZero() {
			return fmt.Errorf("%s: execute %q by its digest: %w: install it, or remove its line", m.At, m.Path, err)
		}
		return pathError(m.At.String(), m.Path, err)
	}
	if r.path == "/" && access&Write != 0 {
		return fmt.Errorf("%s: make %q writable: it is the whole system: go to a folder of your own, or name one with --workdir or --rw", m.At, m.Path)
	}
	if r.path == assembly || within(r.path, assembly) {
		return fmt.Errorf("%s: show the host's %q: the program can only have a /proc of its own: write proc: private", m.At, r.path)
	}
	if !m.Digest.IsZero() {
		return b.copy(m, r)
	}
	maps.Copy(b.links, r.links)
	b.bind(r, access)
	return nil
}

// bind adds the files at a resolved path. Two names of one place share it, and
// each may do what either allows.
func (b *tree) bind(r resolved, access Access) {
	switch old := b.mounts[r.path]; old.Kind {
	case Bind:
		access |= old.Access
	case Copy:
		return // by whatever name, it is executed by its digest
	}
	b.mounts[r.path] = Mount{Kind: Bind, Target: r.path, Source: r.path, Access: access, Folder: r.folder}
}

// hide covers a path where it can be seen at all.
func (b *tree) hide(m policy.Mount) error {
	r, err := b.resolver.resolve(m.Path)
	switch {
	case err == nil:
	case unseen(err): // nothing to hide, or not from this user
		b.miss(m, err)
		return nil
	default:
		return pathError(m.At.String(), m.Path, err)
	}
	if isProcess(r.path) {
		return fmt.Errorf("%s: hide %q: it is a process's, and the program's processes come and go: write proc: none to hide all of /proc", m.At, m.Path)
	}
	if b.visible(r.path) {
		b.mounts[r.path] = Mount{Kind: Hidden, Target: r.path, Folder: r.folder}
	}
	return nil
}

// visible reports whether the target would see a file of the host's at a path, or
// one that the kernel puts there in any /proc and /dev.
func (b *tree) visible(path string) bool {
	if at, ok := b.mounts[path]; ok && (at.Kind == Bind || at.Kind == Copy) {
		return true
	}
	above, ok := b.above(path)
	return ok && (above.Kind == Bind || above.Kind == Proc || above.Kind == Dev && isSafeDevice(path))
}

// above returns the closest mount over a path, not at it.
func (b *tree) above(path string) (above Mount, ok bool) {
	for target, m := range b.mounts {
		if within(path, target) && len(target) >= len(above.Target) {
			above, ok = m, true
		}
	}
	return above, ok
}

// pin makes mount points of the folders between a writable bind and a mount in
// it that allows less: a mount point can't be renamed, but its parent can, and
// the name would be free for something else.
func (b *tree) pin() {
	pins := map[string]Mount{}
	for target, m := range b.mounts {
		outer, ok := b.above(target)
		if !ok || outer.Kind != Bind || outer.Access&Write == 0 || outer.Access&^m.Access == 0 {
			continue
		}
		for folder := path.Dir(target); folder != outer.Target; folder = path.Dir(folder) {
			pins[folder] = Mount{Kind: Bind, Target: folder, Source: folder, Access: outer.Access, Folder: true, pin: true}
		}
	}
	maps.Copy(b.mounts, pins)
}

// list returns the mounts without those that change nothing, and the links that
// no mount shows already.
func (b *tree) list() []Mount {
	var out []Mount
	for target, m := range b.mounts {
		if above, ok := b.above(target); ok && m.Kind == Bind && !m.pin && above.Kind == Bind && above.Access == m.Access {
			continue
		}
		out = append(out, m)
	}
	for target, text := range b.links {
		_, taken := b.mounts[target]
		if above, ok := b.above(target); !taken && (!ok || above.Kind == Private) {
			out = append(out, Mount{Kind: Link, Target: target, Source: text})
		}
	}
	slices.SortFunc(out, func(a, b Mount) int { return cmp.Compare(a.Target, b.Target) })
	return out
}
