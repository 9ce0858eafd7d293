package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The second call ends on a line of its own, under another name; the first and
// the last are seen by half.
const traceText = `         ? (         ): callgate/7  ... [continued]: execve())                   = 0
10.500 ( 0.250 ms): callgate/7 clone(clone_flags: VM|NEWNS) = 8
10.400 (         ): callgate/8 execve(filename: 0x1)           ...
10.400 ( 0.200 ms): true/8  ... [continued]: execve())                   = 0
10.900 (         ): true/8 exit_group()                                  = ?
`

func TestParseTrace(t *testing.T) {
	got, err := parseTrace(traceText)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].ns = float64(int(got[i].ns/1e3 + 0.5)) // microseconds: sums of decimals aren't exact
	}
	clone, execve := "clone(clone_flags: VM|NEWNS) = 8", "execve(filename: 0x1)           ..."
	want := []event{
		{10400, execve, false},
		{10500, clone, false},
		{10600, execve, true},
		{10750, clone, true},
		{10900, "exit_group()                                  = ?", false},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
		t.Errorf("parseTrace (-want +got):\n%s", diff)
	}
	for _, text := range []string{"no time\n", "x (0.1 ms): a/1 b()\n"} {
		if events, err := parseTrace(text); err == nil {
			t.Errorf("parseTrace(%q) = %v; want an error", text, events)
		}
	}
}

func TestSplit(t *testing.T) {
	var events []event
	for i, p := range phases {
		call := p.begin.call + p.begin.with + ")"
		events = append(events, event{float64(10 * i), call, p.begin.end}, event{float64(10*i + 5), "other()", false})
	}
	took, calls, err := split(events)
	if err != nil {
		t.Fatal(err)
	}
	for i := range took {
		want := 2
		if phases[i].begin.end {
			want = 1 // a call that ended began before
		}
		if took[i] != 10 || calls[i] != want {
			t.Errorf("phase %q took %v with %d calls; want 10 with %d", phases[i].what, took[i], calls[i], want)
		}
	}
	if len(took) != len(phases)-1 {
		t.Errorf("split returns %d phases; want %d", len(took), len(phases)-1)
	}
	if _, _, err := split(events[:len(events)-2]); err == nil {
		t.Error("split without the last mark: want an error")
	}
}
