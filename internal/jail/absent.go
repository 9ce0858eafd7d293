package jail

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"syscall"

	"github.com/callgate/callgate/policy"
)

// Absent is a path that the policy protects or hides in a folder that the target
// may write to, and that does not exist. A mount can't protect it: it would need
// a mount point, and the host is left as it is.
type Absent struct {
	Path string        // as the policy has it
	At   policy.Origin // where it does
}

func (a Absent) String() string {
	return fmt.Sprintf("the program made %q, which the policy keeps it from writing (%s): look at what is in it before a shell, an editor or git does", a.Path, a.At)
}

// Made returns those of the absent paths that are there now.
func (s *Spec) Made() (made []Absent) {
	for _, a := range s.absent {
		if exists(a.Path) {
			made = append(made, a)
		}
	}
	return made
}

// miss notes a path that leads nowhere.
func (b *tree) miss(m policy.Mount, err error) {
	if m.Access&policy.Write == 0 && absent(err) {
		b.absent = append(b.absent, Absent{m.Path, m.At})
	}
	var at *fs.PathError
	if errors.Is(err, syscall.ENOTDIR) && errors.As(err, &at) {
		b.inTheWay = append(b.inTheWay, path.Dir(at.Path))
	}
}

// block protects the files that stand where protected paths need a folder: as
// long as one stays, nobody makes the path. A .git may be a file, and says where
// the hooks are.
func (b *tree) block() {
	for _, file := range b.inTheWay {
		above, ok := b.above(file)
		if _, taken := b.mounts[file]; !taken && ok && above.Kind == Bind {
			b.mounts[file] = Mount{Kind: Bind, Target: file, Source: file, Access: above.Access &^ Write}
		}
	}
}

// makeable returns the absent paths that the target can make.
func (b *tree) makeable() []Absent {
	return slices.DeleteFunc(b.absent, func(a Absent) bool {
		above, ok := b.above(a.Path)
		return !ok || above.Kind != Bind || above.Access&Write == 0
	})
}
