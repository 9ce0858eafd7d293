package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

func refused(path string) event.Event {
	return event.Event{
		Task:    event.Task{PID: 411, TID: 412, Program: "sh"},
		Call:    abi.Call{Arch: abi.AMD64, Nr: 257, Args: [6]uint64{1<<64 - 100, 0x7ffc1000}},
		Memory:  []event.Memory{{Arg: 1, Bytes: []byte(path)}},
		Outcome: event.Refused, Errno: abi.EACCES,
		Why: event.Why{Text: path + " is hidden", Rule: "mail.yaml:3", Wall: "files", Cure: "files:\n  ro: [" + path + "]"},
	}
}

func open(t testing.TB, path string, failure Failure) *Log {
	t.Helper()
	log, err := Open(path, failure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func record(t *testing.T, log *Log, e event.Event) {
	t.Helper()
	if err := log.Record(e); err != nil {
		t.Fatalf("Record() = %v", err)
	}
}

// events reads a log as docs/audit.md tells readers to.
func events(t *testing.T, path string) (list []event.Event) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e event.Event
		if json.Unmarshal(line, &e) == nil {
			list = append(list, e)
		}
	}
	return list
}

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	log := open(t, path, Refuse)
	moment := time.Date(2026, 11, 22, 9, 8, 7, 0, time.FixedZone("", 3600))
	log.now = func() time.Time { return moment }
	want := []event.Event{refused("/etc/shadow"), refused("/etc/gshadow\n")}
	for _, e := range want {
		record(t, log, e)
	}
	for i := range want {
		want[i].Time = moment.UTC()
	}
	if diff := cmp.Diff(want, events(t, path)); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("Stat() = %v, %v; want mode 0600", info.Mode(), err)
	}
	text, _ := os.ReadFile(path)
	if lines := strings.Count(string(text), "\n"); lines != len(want) || !strings.HasPrefix(string(text), `{"time":"2026-11-22T08:08:07Z",`) {
		t.Errorf("the log has %d lines and reads\n%s", lines, text)
	}
	if count, reason := log.Lost(); count != 0 || reason != nil {
		t.Errorf("Lost() = %d, %v; want none", count, reason)
	}
}

func TestLinesAreBounded(t *testing.T) {
	wordy := refused("/short")
	wordy.Why.Text = strings.Repeat("é", MaxLine)
	bytesOnly := refused(strings.Repeat("\xff", 4095))
	bytesOnly.Why = event.Why{}
	for name, e := range map[string]event.Event{
		"a long path":        refused("/" + strings.Repeat("x", 4094)),
		"bytes that are six": refused(strings.Repeat("\x01", 4095)),
		"bytes, no text":     bytesOnly,
		"a long reason":      wordy,
		"six long arguments": {Call: wordy.Call, Outcome: event.Gone, Memory: func() (all []event.Memory) {
			for i := range 6 {
				all = append(all, event.Memory{Arg: i, Bytes: bytes.Repeat([]byte("<"), 1<<20)})
			}
			return all
		}()},
	} {
		e.Time = time.Date(2026, 11, 22, 9, 8, 7, 654321987, time.UTC)
		line, err := lineOf(e)
		if err != nil || len(line) > MaxLine || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Errorf("%s: %d bytes, %v: %s", name, len(line), err, line)
		}
		var got event.Event
		if err := json.Unmarshal(line, &got); err != nil {
			t.Errorf("%s: read %s: %v", name, line, err)
		}
		if diff := cmp.Diff(e, got, cmpopts.IgnoreFields(event.Event{}, "Memory", "Why")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for i, m := range e.Memory {
			cut := got.Memory[i]
			if !bytes.HasPrefix(m.Bytes, cut.Bytes) || len(cut.Bytes) < len(m.Bytes) && cut.Size != len(m.Bytes) {
				t.Errorf("%s: argument %d: %d bytes became %d, of %d", name, i, len(m.Bytes), len(cut.Bytes), cut.Size)
			}
		}
		if !strings.HasPrefix(e.Why.Text, strings.TrimSuffix(got.Why.Text, "…")) {
			t.Errorf("%s: the reason became %q", name, got.Why.Text)
		}
	}
}

// A line that another left unfinished does not swallow the next.
func TestUnfinishedLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	const begun = `{"time":"2026-11-22T09:08:07Z","pid":411,"tid":4`
	if err := os.WriteFile(path, []byte(begun), 0o600); err != nil {
		t.Fatal(err)
	}
	log := open(t, path, Refuse)
	for want := 1; want <= 2; want++ {
		record(t, log, refused("/etc/shadow"))
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), begun+"{") || len(events(t, path)) != want || strings.Contains(string(text), "\n\n") {
			t.Errorf("the log reads, %v; want %d records:\n%s", err, want, text)
		}
	}
}

// From the moment that a file is renamed, removed or emptied, records go to the
// one at the path.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "audit.jsonl.1")
	log := open(t, path, Refuse)
	count := func(path string) int { return len(events(t, path)) }
	record(t, log, refused("/a"))
	if err := os.Rename(path, old); err != nil {
		t.Fatal(err)
	}
	record(t, log, refused("/b"))
	if now, before := count(path), count(old); now != 1 || before != 1 {
		t.Errorf("after a rename: %d records at the path and %d in the old file; want 1 and 1", now, before)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	record(t, log, refused("/c"))
	if now := count(path); now != 1 {
		t.Errorf("after a removal: %d records at the path; want 1", now)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	record(t, log, refused("/d"))
	if text, err := os.ReadFile(path); err != nil || text[0] != '{' || count(path) != 1 {
		t.Errorf("after it was emptied the log reads, %v:\n%q", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the new file's mode is %v, %v; want 0600", info.Mode(), err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(t *testing.T, log *Log, dir string)
		want error
	}{
		{"closed", func(_ *testing.T, log *Log, _ string) { log.Close() }, os.ErrClosed},
		{"the folder is gone", func(_ *testing.T, _ *Log, dir string) { os.RemoveAll(dir) }, fs.ErrNotExist},
		{"a folder in its place", func(t *testing.T, log *Log, _ string) {
			os.Remove(log.file.path)
			if err := os.Mkdir(log.file.path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, syscall.EISDIR},
		{"full", func(t *testing.T, log *Log, _ string) {
			os.Remove(log.file.path)
			if err := os.Symlink("/dev/full", log.file.path); err != nil {
				t.Fatal(err)
			}
		}, syscall.ENOSPC},
	} {
		for _, failure := range []Failure{Refuse, Continue} {
			dir := filepath.Join(t.TempDir(), "logs")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			log := open(t, filepath.Join(dir, "audit.jsonl"), failure)
			c.fail(t, log, dir)
			for want := 1; want <= 2; want++ {
				err := log.Record(refused("/etc/shadow"))
				if failure == Refuse && !errors.Is(err, c.want) || failure == Continue && err != nil {
					t.Errorf("%s: Record() = %v; want %v", c.name, err, c.want)
				}
				if count, reason := log.Lost(); count != want || !errors.Is(reason, c.want) || !strings.Contains(reason.Error(), "audit.jsonl") {
					t.Errorf("%s: Lost() = %d, %v; want %d, %v", c.name, count, reason, want, c.want)
				}
			}
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]error{
		filepath.Join(dir, "none", "audit.jsonl"): fs.ErrNotExist,
		dir: syscall.EISDIR,
	} {
		if log, err := Open(path, Refuse); !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) = %v, %v; want %v", path, log, err, want)
		}
	}
}

func TestParseFailure(t *testing.T) {
	for word, want := range map[string]Failure{"refuse": Refuse, "continue": Continue} {
		if got, ok := ParseFailure(word); got != want || !ok {
			t.Errorf("ParseFailure(%q) = %v, %v", word, got, ok)
		}
	}
	if got, ok := ParseFailure("ignore"); got != Refuse || ok {
		t.Errorf("ParseFailure(ignore) = %v, %v; want Refuse, false", got, ok)
	}
}

func BenchmarkRecord(b *testing.B) {
	log := open(b, filepath.Join(b.TempDir(), "audit.jsonl"), Refuse)
	e := refused("/etc/shadow")
	b.ReportAllocs()
	for b.Loop() {
		if err := log.Record(e); err != nil {
			b.Fatal(err)
		}
	}
}
