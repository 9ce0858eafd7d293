package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const console = `firmware#vmtest# start example/good
=== RUN   TestA
--- PASS: TestA (0.00s)
=== RUN   TestB
    b_test.go:9: kernel lacks: x32 calls
--- SKIP: TestB (0.00s)
PASS
#vmtest# end 0 1.5 example/good
#vmtest# start example/bad
=== RUN   TestC
    c_test.go:3: got 1; want 2
--- FAIL: TestC (0.00s)
FAIL
#vmtest# left 42 sleep 1000
#vmtest# end 1 0.2 example/bad
#vmtest# off
[    8.710010] reboot: Power down`

func TestReport(t *testing.T) {
	const want = `skip TestB: kernel lacks: x32 calls
ok  	example/good	1.5s
LEFT BEHIND: process 42 sleep 1000
=== RUN   TestC
    c_test.go:3: got 1; want 2
--- FAIL: TestC (0.00s)
FAIL
FAIL	example/bad	0.2s
`
	var out strings.Builder
	r := &report{out: &out}
	for line := range strings.SplitSeq(console, "\n") {
		r.line(line)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if r.code != 1 || !r.off {
		t.Errorf("exit code %d, off %v; want 1, true", r.code, r.off)
	}
}

func TestReportOfACommand(t *testing.T) {
	var out strings.Builder
	r := &report{command: true, out: &out}
	for _, line := range []string{"firmware", "#vmtest# start ", "hello", "#vmtest# end 7 0.1 ", "#vmtest# off", "reboot: Power down"} {
		r.line(line)
	}
	if out.String() != "hello\n" || r.code != 7 || !r.off {
		t.Errorf("report = %q, exit code %d, off %v; want hello, 7, true", out.String(), r.code, r.off)
	}
}
