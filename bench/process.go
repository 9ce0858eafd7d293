package main

import (
	"embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/*.c
var testdata embed.FS

// command is a program to time, whole: from before fork to after wait.
type command struct {
	dir   string
	env   []string   // nil for this process's
	files []*os.File // what descriptors from 3 on are
	argv  []string   // the first is a path
}

// settle is a pause before each start. What a program leaves to the kernel to
// clean up when it ends (a network namespace, mounts) is thereby not charged to
// the next; the figures for starts in a row, without it, show that cost.
const settle = 5 * time.Millisecond

// limit is how long a program may run before it is ended as a failure.
const limit = 2 * time.Minute

// time runs the command and returns how long that took, in nanoseconds.
func (c command) time() (float64, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	attributes := &os.ProcAttr{Dir: c.dir, Env: c.env, Files: append([]*os.File{null, null, os.Stderr}, c.files...)}
	start := time.Now()
	process, err := os.StartProcess(c.argv[0], c.argv, attributes)
	if err != nil {
		return 0, err
	}
	stop := time.AfterFunc(limit, func() { process.Kill() })
	defer stop.Stop()
	state, err := process.Wait()
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if !state.Success() {
		return 0, fmt.Errorf("%s: %v", strings.Join(c.argv, " "), state)
	}
	return float64(took), nil
}

// plural writes a count and its noun: "1 CPU", "2 CPUs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
