package jail

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// grant is a path that Landlock opens to the target.
type grant struct {
	path   string
	rights uint64 // sys.Landlock*
}

// grantsWithin lists what to grant so that everything below a readable bind is
// open but the mounts inside it that allow less. Landlock grants whole subtrees
// and can't take back a part, so the bind's parts are granted one by one: what
// appears there later is not, and the list of a folder that holds a withheld
// part can't be read.
func grantsWithin(m Mount, withheld []string) ([]grant, error) {
	if !slices.ContainsFunc(withheld, func(w string) bool { return within(w, m.Target) }) {
		return []grant{{m.Target, rightsOf(m.Access, m.Folder)}}, nil
	}
	entries, err := os.ReadDir(m.Target)
	if err != nil {
		return nil, fmt.Errorf("list %q, of which a part is withheld: %w", m.Target, err)
	}
	var grants []grant
	for _, entry := range entries {
		part := Mount{Target: filepath.Join(m.Target, entry.Name()), Access: m.Access, Folder: entry.IsDir()}
		if slices.Contains(withheld, part.Target) || entry.Type()&os.ModeSymlink != 0 {
			continue // a link opens nothing: where it leads decides
		}
		below, err := grantsWithin(part, withheld)
		if err != nil {
			return nil, err
		}
		grants = append(grants, below...)
	}
	return grants, nil
}

// withheld lists the mounts that allow less than a bind around them.
func (s *Spec) withheld() []string {
	var list []string
	for _, inner := range s.Mounts {
		if outer, ok := s.around(inner); ok && outer.Access&^inner.Access != 0 {
			list = append(list, inner.Target)
		}
	}
	return list
}

// hides reports whether the Spec hides exactly this path.
func (s *Spec) hides(path string) bool {
	return slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Kind == Hidden && m.Target == path })
}

// around returns the closest bind around a mount that is a bind or hidden.
func (s *Spec) around(inner Mount) (outer Mount, ok bool) {
	if inner.Kind != Hidden && inner.Kind != Bind {
		return Mount{}, false
	}
	for _, m := range s.Mounts {
		if m.Kind == Bind && within(inner.Target, m.Target) && len(m.Target) > len(outer.Target) {
			outer, ok = m, true
		}
	}
	return outer, ok
}
