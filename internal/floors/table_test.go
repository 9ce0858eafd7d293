package floors

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var row = regexp.MustCompile("(?m)^\\| ([0-7]) \\| `([^`…]+?)(/…)?` \\|")

// The table that people read is the one that the tests hold.
func TestArchitectureShowsTheFloors(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, found := range row.FindAllStringSubmatch(string(text), -1) {
		got[found[2]], _ = strconv.Atoi(found[1])
	}
	want := map[string]int{}
	for path, f := range floor {
		want[path] = f
	}
	for _, tree := range tops {
		want[tree] = top
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of docs/architecture.md (-want +got):\n%s", diff)
	}
}
