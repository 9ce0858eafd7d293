package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/audit"
	"github.com/callgate/callgate/internal/jail"
)

// auditor records each decision in a file.
type auditor struct {
	path    string
	failure audit.Failure
	planned bool // nothing is run: no file is made
	log     *audit.Log
}

// newAuditor returns nil where there is nothing to be recorded.
func newAuditor(path, failure string) (*auditor, error) {
	if path == "" {
		if failure != "" {
			return nil, errors.New("--audit-failure: there is no log: name one with --audit")
		}
		return nil, nil
	}
	a := &auditor{path: path}
	var known bool
	if a.failure, known = audit.ParseFailure(failure); failure != "" && !known {
		return nil, fmt.Errorf("--audit-failure: %q: write refuse or continue", failure)
	}
	return a, nil
}

// open makes the file, unless the target could exchange it for another.
func (a *auditor) open(mounts []jail.Mount) (err error) {
	if a == nil {
		return nil
	}
	path, err := realPath(a.path)
	if err != nil {
		return fmt.Errorf("--audit: %w", err)
	}
	for _, m := range mounts {
		if m.Kind == jail.Bind && m.Access&jail.Write != 0 && within(path, m.Source) {
			return fmt.Errorf("--audit: %q lies in %q, where the program may write: it could change what is recorded: name a file elsewhere", a.path, m.Source)
		}
	}
	if a.planned {
		return nil
	}
	if a.log, err = audit.Open(path, a.failure); errors.Is(err, syscall.EISDIR) {
		return fmt.Errorf("--audit: %w: name a file in it", err)
	} else if err != nil {
		return fmt.Errorf("--audit: %w", err)
	}
	return nil
}

// realPath follows the links of a path, whose last part may be missing.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		if _, err := os.Stat(path); err != nil { // else it leads to what has no path, as /dev/stderr may
			return "", fmt.Errorf("%w: it is a link: make the file that it leads to, or name that", err)
		}
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("%w: make its folder, or name another file", err)
	}
	return filepath.Join(folder, filepath.Base(path)), nil
}

// within reports whether a path is a folder or something in it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

// Record is gate.Recorder's.
func (a *auditor) Record(e event.Event) error {
	if !a.Wants(e) {
		return nil
	}
	return a.log.Record(e)
}

// Wants is gate.Selective's. What the kernel runs, or callgate in its stead, and
// nothing is expected to refuse, was no decision: the call only named a path that
// was looked at. What somebody allowed when asked was one.
func (a *auditor) Wants(e event.Event) bool {
	return e.Outcome == event.Refused || e.Errno != 0 || e.Why.Text != ""
}

// say prints what could not be recorded.
func (a *auditor) say(w io.Writer) {
	if a == nil {
		return
	}
	if lost, reason := a.log.Lost(); lost > 0 {
		fmt.Fprintf(w, "callgate: --audit: the log is incomplete, records that it lacks: %d: %v\n", lost, reason)
	}
	a.log.Close()
}
