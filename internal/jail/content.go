package jail

import (
	"fmt"
	"maps"

	"github.com/callgate/callgate/policy"
)

// content shows a text of the policy's own at a path: in place of the machine's
// file where it shows the target the machine's folder, and else whatever the machine
// has there.
func (b *tree) content(m policy.Mount) error {
	at := resolved{path: m.Path}
	r, err := b.resolver.resolve(m.Path)
	switch {
	case err == nil && r.folder:
		return fmt.Errorf("%s: give %q a text of its own: it is a folder: name a file in it", m.At, m.Path)
	case err == nil:
		at = r
	case !unseen(err):
		return pathError(m.At.String(), m.Path, err)
	default:
		if above, ok := b.above(m.Path); ok && above.Kind == Bind {
			return fmt.Errorf("%s: give %q a text of its own: %w: nothing is made in %q, which is the machine's: make an empty file there, "+
				"or name another path", m.At, m.Path, err, above.Target)
		}
	}
	if above, ok := b.above(at.path); ok && (above.Kind == Hidden || above.Kind == Proc) {
		return fmt.Errorf("%s: give %q a text of its own: it lies in %q, where nothing can be shown: remove one of the two", m.At, m.Path, above.Target)
	}
	if old := b.mounts[at.path]; old.Kind == Text && old.Source != m.Text {
		return fmt.Errorf("%s: give %q a text of its own: a link leads from there to %q, which has another (%s): remove one of them", m.At, m.Path, at.path, old.at)
	}
	maps.Copy(b.links, at.links)
	b.mounts[at.path] = Mount{Kind: Text, Target: at.path, Source: m.Text, Access: Read, at: m.At.String()}
	return nil
}
