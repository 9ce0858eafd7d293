package main

import "testing"

func TestReplaceFigures(t *testing.T) {
	document := "# A\n\n" + figuresBegin + "\nold\n\n" + figuresEnd + "\n## B\n"
	want := "# A\n\n" + figuresBegin + "\nnew\n\n" + figuresEnd + "\n## B\n"
	for _, in := range []string{document, want} {
		if got, err := replaceFigures(in, "new\n\n\n"); got != want || err != nil {
			t.Errorf("replaceFigures(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	if got, err := replaceFigures("# A\n"+figuresEnd, "new"); err == nil {
		t.Errorf("replaceFigures without a place = %q; want an error", got)
	}
}
