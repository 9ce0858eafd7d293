package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

// file is what lines are appended to. It is not an os.File, whose Write goes on
// after a part was written: another's line may stand there by then.
type file struct {
	fd   int
	path string
	sys.Identity
}

const closed = -1

// openFile never waits: neither for the reader of a FIFO, nor for its space.
func openFile(path string) (*file, error) {
	const flags = syscall.O_APPEND | syscall.O_NONBLOCK | syscall.O_NOCTTY | syscall.O_CLOEXEC
	f, err := openWith(path, flags|syscall.O_CREAT|syscall.O_RDWR) // to see how the line before ends
	if err != nil || f.Type == syscall.S_IFREG {
		return f, err
	}
	f.close() // by which a FIFO would have a reader
	f, err = openWith(path, flags|syscall.O_WRONLY)
	if errors.Is(err, syscall.ENXIO) {
		err = fmt.Errorf("%w: nobody reads there: start the reader first", err)
	}
	return f, err
}

func openWith(path string, flags int) (*file, error) {
	fd, err := retry(func() (int, error) { return syscall.Open(path, flags, 0o600) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	identity, err := sys.IdentityOf(fd)
	if err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return &file{fd, path, identity}, nil
}

// stands reports whether the file is still what stands at its path.
func (f *file) stands() bool {
	now, err := sys.IdentityAt(f.path)
	return err == nil && now.Same(f.Identity)
}

// attempts is how often a line is written that came to stand behind an
// unfinished one.
const attempts = 8

// append adds a line by one write. Where the line before has no end, because its
// writer was killed or the disk was full, both are one that no reader can read:
// so the line is written again.
func (f *file) append(line []byte) (err error) {
	for range attempts {
		if err = f.write(line); err != nil {
			return &fs.PathError{Op: "write", Path: f.path, Err: err}
		}
		if f.Type != syscall.S_IFREG || f.beginsLine(len(line)) {
			return nil
		}
	}
	return &fs.PathError{Op: "write", Path: f.path, Err: errUnfinished}
}

var errUnfinished = errors.New("others leave their lines unfinished")

func (f *file) write(line []byte) error {
	if f.fd == closed {
		return os.ErrClosed
	}
	n, err := retry(func() (int, error) { return syscall.Write(f.fd, line) })
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("%w: it is not read fast enough", err)
	case errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w: nobody reads it any more", err)
	case err == nil && n < len(line):
		return fmt.Errorf("%d of %d bytes were written: %w", n, len(line), syscall.ENOSPC)
	}
	return err
}

// beginsLine reports whether what was just written, of this length, stands at
// the beginning of a line. The kernel orders appends: what stands before was
// complete, or never will be.
func (f *file) beginsLine(length int) bool {
	end, err := syscall.Seek(f.fd, 0, io.SeekCurrent)
	start := end - int64(length)
	if err != nil || start <= 0 {
		return err == nil
	}
	var before [1]byte
	n, err := syscall.Pread(f.fd, before[:], start-1)
	return err == nil && (n == 0 || before[0] == '\n') // 0: it was emptied just now
}

func (f *file) close() error {
	if f.fd == closed {
		return nil
	}
	err := syscall.Close(f.fd)
	f.fd = closed
	return err
}

// retry calls again what a signal interrupted before it began.
func retry(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != syscall.EINTR {
			return n, err
		}
	}
}
