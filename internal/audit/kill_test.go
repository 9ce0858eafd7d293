package audit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// A test's program is a writer where this names the log.
const writerLog = "CALLGATE_TEST_LOG"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerLog); path != "" {
		if err := write(path, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// write records from number args[1] to below args[2], as writer args[0], and
// tells of each when it is there.
func write(path string, args []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i]); err != nil {
			return err
		}
	}
	log, err := Open(path, Refuse)
	if err != nil {
		return err
	}
	var told [8]byte
	for number := n[1]; number < n[2]; number++ {
		if err := log.Record(numbered(n[0], number)); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(told[:], uint64(number))
		if _, err := os.Stdout.Write(told[:]); err != nil {
			return err
		}
	}
	return nil
}

// numbered is a record of many lengths, so that some cross a page.
func numbered(writer, number int) event.Event {
	return event.Event{
		Task:    event.Task{TID: writer},
		Call:    abi.Call{Arch: abi.AMD64, Nr: 257, Args: [6]uint64{uint64(number)}},
		Memory:  []event.Memory{{Arg: 1, Bytes: bytes.Repeat([]byte{'x'}, number%50)}},
		Outcome: event.Refused, Errno: abi.EACCES,
	}
}

// Eight writers are killed at random while they share a log, and go on. Every
// record that one was told to be there is there, whole.
func TestKilledWriters(t *testing.T) {
	const writers = 8
	records := 100_000
	if testing.Short() || raceDetector || os.Geteuid() != 0 { // root runs it in full
		records = 2_000
	}
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var group sync.WaitGroup
	var kills [writers]int
	for writer := range writers {
		group.Go(func() {
			for next := 0; next < records && !t.Failed(); kills[writer]++ {
				next = writeUntilKilled(t, path, writer, next, records)
			}
		})
	}
	group.Wait()
	found, odd := recordsIn(t, path, writers, records)
	for writer := range writers {
		missing := slices.Index(found[writer], false)
		if missing >= 0 {
			t.Errorf("writer %d: record %d was told to be there and is not", writer, missing)
		}
	}
	total := 0
	for _, n := range kills {
		total += n - 1
	}
	t.Logf("%d kills; %d lines were no record", total, odd)
}

// writeUntilKilled returns the first record that a writer did not tell of.
func writeUntilKilled(t *testing.T, path string, writer, next, end int) int {
	command := exec.Command(os.Args[0], strconv.Itoa(writer), strconv.Itoa(next), strconv.Itoa(end))
	command.Env = append(os.Environ(), writerLog+"="+path)
	command.Stderr = os.Stderr
	told, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Error(err)
		return end
	}
	kill := time.AfterFunc(time.Duration(rand.Int64N(int64(500*time.Millisecond))), func() { command.Process.Kill() })
	defer kill.Stop()
	var number [8]byte
	for tells := bufio.NewReaderSize(told, 1<<16); ; next++ {
		if _, err := io.ReadFull(tells, number[:]); err != nil {
			break
		}
		if got := binary.LittleEndian.Uint64(number[:]); got != uint64(next) {
			t.Errorf("writer %d told of record %d; want %d", writer, got, next)
		}
	}
	if err := command.Wait(); err != nil && command.ProcessState.ExitCode() >= 0 {
		t.Errorf("writer %d: %v", writer, err)
		return end
	}
	return next
}

// recordsIn returns which writers' records the log has, and how many lines are
// no record: those of writers that were killed.
func recordsIn(t *testing.T, path string, writers, records int) (found [][]bool, odd int) {
	for range writers {
		found = append(found, make([]bool, records))
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		writer, number, ok := numberOf(lines.Bytes())
		if !ok || writer >= writers || number >= records {
			odd++
			continue
		}
		found[writer][number] = true
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return found, odd
}

// numberOf reads whose record a line is. It is a record only if it is what the
// writer wrote, to the byte, which is seen faster than by reading JSON; some are
// read as readers do.
func numberOf(line []byte) (writer, number int, ok bool) {
	const time = `{"time":"2026-11-22T09:08:07.123456789Z"`
	start, rest, ok := bytes.Cut(line, []byte(`,"tid":`))
	if !ok || len(start) > len(time) {
		return 0, 0, false
	}
	writer = int(rest[0] - '0')
	_, rest, _ = bytes.Cut(rest, []byte(`"registers":["0x`))
	hex, _, _ := bytes.Cut(rest, []byte(`"`))
	value, err := strconv.ParseInt(string(hex), 16, 64)
	number = int(value)
	if err != nil || !bytes.HasSuffix(line, expected(writer, number)) {
		return 0, 0, false
	}
	var e event.Event
	return writer, number, number%1000 != 0 || json.Unmarshal(line, &e) == nil && e.Task.TID == writer && e.Call.Args[0] == uint64(number)
}

// expected is a record without its time.
func expected(writer, number int) []byte {
	line := append([]byte(`,"tid":`), byte('0'+writer))
	line = append(line, `,"arch":"amd64","call":"openat","nr":257,"registers":["0x`...)
	line = strconv.AppendInt(line, int64(number), 16)
	line = append(line, `","0x0","0x0","0x0","0x0","0x0"],"memory":[{"arg":1,"text":"`...)
	line = append(line, bytes.Repeat([]byte{'x'}, number%50)...)
	return append(line, `"}],"outcome":"refused","errno":"EACCES"}`...)
}
