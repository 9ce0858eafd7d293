package jail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/callgate/callgate/internal/digest"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// maxCopies is how many bytes the programs that have a digest may have together:
// they are held in memory.
const maxCopies = 512 << 20

// copy plans a program that is executed by its digest. It must be named by the
// path at which it stands: of a link the policy would say one thing, and who
// can change the link another.
func (b *tree) copy(m policy.Mount, r resolved) error {
	switch {
	case r.path != m.Path:
		return fmt.Errorf("%s: execute %q by its digest: a link leads from there to %q: name that", m.At, m.Path, r.path)
	case r.folder:
		return fmt.Errorf("%s: execute %q by its digest: it is a folder: name each program in it", m.At, m.Path)
	}
	b.mounts[r.path] = Mount{
		Kind: Copy, Target: r.path, Source: r.path, Access: Read | Execute,
		digest: m.Digest, at: m.At.String(),
	}
	return nil
}

// checkCopies refuses a program that lies where anything may be executed. Who
// replaces or removes a file outside takes off what is mounted on it
// (d_invalidate, fs/dcache.c), and the target sees what is there then: it must not
// be executable.
func (b *tree) checkCopies() error {
	for target, m := range b.mounts {
		if around, ok := b.above(target); ok && m.Kind == Copy && around.Access&Execute != 0 {
			return fmt.Errorf("%s: execute %q by its digest: all in %q may be executed, and so would be what somebody puts in its place: "+
				"write exec-only: true, and list under exec what else is needed", m.at, target, around.Target)
		}
	}
	return nil
}

// DigestOf returns a program's digest, and the path where it stands, links followed.
// The error says what keeps it from being executed by a digest.
func DigestOf(name string) (path string, d digest.Digest, err error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", d, err
	}
	r, err := resolve(absolute)
	if err != nil {
		return "", d, fmt.Errorf("%w: check the path", err)
	}
	data, err := readProgram(r.path, maxCopies)
	if err != nil {
		return "", d, fmt.Errorf("%q: %w", r.path, err)
	}
	return r.path, digest.Sum(data), nil
}

// copies reads the programs that have a digest, and compares the bytes read,
// which nobody else can change any more: it is they that init shows the target.
func (s *Spec) copies() (map[string][]byte, error) {
	var copies map[string][]byte
	left := int64(maxCopies)
	for _, m := range s.Mounts {
		if m.Kind != Copy {
			continue
		}
		data, err := readProgram(m.Source, left)
		if err != nil {
			return nil, fmt.Errorf("%s: execute %q by its digest: %w", m.at, m.Source, err)
		}
		if got := digest.Sum(data); got != m.digest {
			return nil, fmt.Errorf("%s: execute %q by its digest: it has another one, %s: find out who changed it; "+
				"if you did, write this one (callgate policy digest prints the line)", m.at, m.Source, got)
		}
		if copies == nil {
			copies = map[string][]byte{}
		}
		copies[m.Target] = data
		left -= int64(len(data))
	}
	return copies, nil
}

// readProgram reads a file that can be executed into memory of its own.
func readProgram(name string, most int64) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("read it: %w: see its permissions, and those of the folders around it", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file: name a program")
	case info.Mode()&0o111 == 0:
		return nil, errors.New("it is not marked executable: chmod +x")
	case info.Size() == 0:
		return nil, errors.New("it is empty: name a program")
	case info.Size() > most:
		return nil, fmt.Errorf("the programs under digests have more than %d MiB together: list fewer, or the large one under exec", maxCopies>>20)
	}
	data, err := sys.NewMemory(int(info.Size()))
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, fmt.Errorf("read it: %w: somebody is changing it: try again", err)
	}
	return data, nil
}

// copy shows a program's verified bytes at target, read-only. They lie in a file
// system of their own, which the target's limit on its private folders does not
// bound and of which it sees nothing else.
func (b *rootBuilder) copy(m Mount, target string) {
	const folder = "programs"
	if b.copied == 0 {
		b.script.Mkdir(b.memory, folder, 0o755)
		b.script.AttachNew("tmpfs", b.memory, folder, sys.MountNoSuid|sys.MountNoDev)
	}
	name := folder + "/" + strconv.Itoa(b.copied)
	b.copied++
	b.script.NewFileFrom(b.memory, name, 0o555, b.copies[m.Target])
	b.bindOwn(b.memory, name, target, attributes(m.Access))
}
