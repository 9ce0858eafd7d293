package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// While several write, each with its own Log, one of them renames the file again
// and again: every record is in one of the files, once.
func TestRotationUnderWriters(t *testing.T) {
	const writers, records, rotations = 4, 1000, 20
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	files := []string{path}
	write := func(writer int, log *Log) {
		for number := range records {
			if err := log.Record(numbered(writer, number)); err != nil {
				t.Error(err)
			}
			if writer == 0 && number%(records/rotations) == 0 { // its record is in the file at the path
				old := fmt.Sprintf("%s.%d", path, number)
				if err := os.Rename(path, old); err != nil {
					t.Error(err)
				}
				files = append(files, old)
			}
		}
	}
	var group sync.WaitGroup
	for writer := range writers {
		log := open(t, path, Refuse)
		group.Go(func() { write(writer, log) })
	}
	group.Wait()
	seen := map[[2]int]int{}
	for _, file := range files {
		for _, e := range events(t, file) {
			seen[[2]int{e.Task.TID, int(e.Call.Args[0])}]++
		}
	}
	for writer := range writers {
		for number := range records {
			if n := seen[[2]int{writer, number}]; n != 1 {
				t.Errorf("writer %d's record %d is there %d times", writer, number, n)
			}
		}
	}
}
