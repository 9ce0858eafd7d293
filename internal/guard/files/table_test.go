package files

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
)

// Every call that takes a path, on every architecture that callgate runs on, has
// a row.
func TestTableIsComplete(t *testing.T) {
	table := newTable()
	for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
		for _, call := range arch.Syscalls() {
			if _, ok := table[call.Name]; namesFile(call) && !ok {
				t.Errorf("%s: %s has no row", arch, call.Name)
			}
		}
	}
	for name, row := range table {
		if _, ok := abi.Lookup(name); !ok {
			t.Errorf("no call %q", name)
		}
		if (row.serve == nil) != (row.how == left) {
			t.Errorf("%s is served, and left to the kernel, or neither", name)
		}
	}
}

var line = regexp.MustCompile(`(?m)^\| (callgate does it|callgate looks, the kernel does it|the kernel does it|refused) \| ([^|]+) \|`)

// The table that people read is the one that decides.
func TestDocumentShowsTheTable(t *testing.T) {
	text, err := os.ReadFile("../../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	words := map[treatment]string{emulated: "callgate does it", checked: "callgate looks, the kernel does it", left: "the kernel does it", refusing: "refused"}
	want, got := map[string][]string{}, map[string][]string{}
	for name, row := range newTable() {
		want[words[row.how]] = append(want[words[row.how]], name)
	}
	for _, found := range line.FindAllStringSubmatch(string(text), -1) {
		for name := range strings.FieldsFuncSeq(found[2], func(r rune) bool { return strings.ContainsRune("`, ", r) }) {
			got[found[1]] = append(got[found[1]], name)
		}
	}
	for _, lists := range []map[string][]string{want, got} {
		for _, list := range lists {
			slices.Sort(list)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tables of docs/files.md (-want +got):\n%s", diff)
	}
}
