package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

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
	f, err := openWith(path, flags|syscall.O_CREAT|syscall.O_RDWR) // to see how the last line ends
	if err != nil || f.regular() {
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

func (f *file) regular() bool { return f.Type == syscall.S_IFREG }

// stands looks whether the file is still what stands at its path, and how long
// it is.
func (f *file) stands() bool {
	now, err := sys.IdentityAt(f.path)
	f.Size = now.Size
	return err == nil && now.Same(f.Identity)
}

// append adds a line by one write. Where the last line has no end, because its
// writer was killed or the disk was full, the write ends that line first.
func (f *file) append(line []byte) error {
	if f.fd == closed {
		return &fs.PathError{Op: "write", Path: f.path, Err: os.ErrClosed}
	}
	if f.regular() && f.unfinished() {
		line = append([]byte{'\n'}, line...)
	}
	n, err := retry(func() (int, error) { return syscall.Write(f.fd, line) })
	switch {
	case errors.Is(err, syscall.EAGAIN):
		err = fmt.Errorf("%w: it is not read fast enough", err)
	case errors.Is(err, syscall.EPIPE):
		err = fmt.Errorf("%w: nobody reads it any more", err)
	case err == nil && n < len(line):
		err = fmt.Errorf("%d of %d bytes were written: %w", n, len(line), syscall.ENOSPC)
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: f.path, Err: err}
	}
	return nil
}

// The time that another writer may take for a line that it has begun.
const (
	patience = 100 * time.Microsecond
	looks    = 5
)

// unfinished reports whether the last line has no end. That of a writer at work
// has none for a moment, where it crosses a page: so it is looked at again. One
// that takes longer gets an empty line behind it, which readers skip.
func (f *file) unfinished() bool {
	for look := 1; f.Size > 0; look++ {
		var last [1]byte
		if n, err := syscall.Pread(f.fd, last[:], f.Size-1); n < 1 || err != nil || last[0] == '\n' {
			return false // or it was emptied just now
		}
		if look == looks {
			return true
		}
		time.Sleep(patience)
		if now, err := sys.IdentityOf(f.fd); err == nil {
			f.Size = now.Size
		}
	}
	return false
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
