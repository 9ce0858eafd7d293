package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	const events = `
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: kernel lacks: landlock\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:9: a remark\n"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC/sub","Output":"        c_test.go:1: needs nginx\n"}
{"Action":"skip","Package":"p","Test":"TestC/sub"}
{"Action":"skip","Package":"p","Test":"TestD"}
{"Action":"skip","Package":"q"}
`
	const want = `skip p TestA: kernel lacks: landlock
BAD skip p TestC/sub: needs nginx
BAD skip p TestD: 
`
	var got strings.Builder
	bad, err := run(strings.NewReader(events), &got)
	if err != nil || bad != 2 {
		t.Errorf("run = %d, %v; want 2, nil", bad, err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("run printed (-want +got):\n%s", diff)
	}
}

func TestRunRefusesWhatIsNotEvents(t *testing.T) {
	if _, err := run(strings.NewReader("ok  	p	0.1s\n"), &strings.Builder{}); err == nil {
		t.Error("run of plain text = nil error; want one")
	}
}
