package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/callgate/callgate/event"
)

// A FIFO that nobody reads, or nobody reads fast enough, never stops the gate;
// what it does take are whole lines.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if log, err := Open(path, Refuse); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("without a reader, Open() = %v, %v; want ENXIO", log, err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	log := open(t, path, Refuse)
	taken, full := 0, error(nil)
	for full == nil && taken < 1e6 {
		if full = log.Record(refused("/etc/shadow")); full == nil {
			taken++
		}
	}
	if !errors.Is(full, syscall.EAGAIN) {
		t.Errorf("a FIFO that is not read took %d records: %v; want EAGAIN", taken, full)
	}
	lines := bufio.NewScanner(reader)
	for i := range taken {
		var e event.Event
		if !lines.Scan() {
			t.Fatalf("%d lines; want %d", i, taken)
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("line %d is %q: %v", i, lines.Text(), err)
		}
	}
	record(t, log, refused("/etc/shadow")) // there is space again
	reader.Close()
	if err := log.Record(refused("/etc/shadow")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("when the reader left, Record() = %v; want EPIPE", err)
	}
}
