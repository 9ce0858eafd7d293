package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

// TTY is the terminal that callgate was started from, as a Console. The target may
// have it open as well, as a standard stream: then it can draw over a question, and
// take what is typed, but not answer.
type TTY struct{ file *os.File }

// OpenTTY opens the controlling terminal. The error is that there is none.
func OpenTTY() (*TTY, error) {
	file, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &TTY{file}, nil
}

// Close closes it.
func (t *TTY) Close() error { return t.file.Close() }

// look is how often it is looked whether callgate has come to the foreground.
const look = 100 * time.Millisecond

// maxTyped bounds what a person may type, in bytes.
const maxTyped = 100

// Line is Console's. The terminal edits the line, whatever mode the target has it
// in, and has that mode again afterwards. While callgate is in the background, a
// question waits.
func (t *TTY) Line(ctx context.Context, prompt string) (string, error) {
	for !sys.InForeground(t.file) {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(look):
		}
	}
	restore, err := sys.MakeCooked(t.file)
	if err != nil {
		return "", err
	}
	defer restore()
	if err := t.file.SetReadDeadline(time.Time{}); err != nil {
		return "", fmt.Errorf("ask on the terminal: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { t.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(t.file, "\n"+prompt); err != nil {
		return "", err
	}
	var line strings.Builder
	var letter [1]byte
	for line.Len() < maxTyped {
		_, err := t.file.Read(letter[:])
		switch {
		case ctx.Err() != nil:
			io.WriteString(t.file, "\n")
			return "", ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded): // of a question before
			t.file.SetReadDeadline(time.Time{})
			continue
		case err == io.EOF: // Ctrl-D
			return "", nil
		case err != nil:
			return "", err
		case letter[0] == '\n':
			return line.String(), nil
		}
		line.WriteByte(letter[0])
	}
	return "", nil
}
