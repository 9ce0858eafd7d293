package policy

import "testing"

// A program chooses the names of its files: they can't forge lines, nor keys of a
// document.
func TestNamesOfFiles(t *testing.T) {
	for _, c := range []struct {
		path, quoted, printable string
		writable                bool
	}{
		{"/usr/lib", "/usr/lib", "/usr/lib", true},
		{"~/été", `"~/été"`, "~/été", true},
		{"/a, b]: #", `"/a, b]: #"`, "/a, b]: #", true},
		{`/a"b\c`, `"/a\"b\\c"`, `/a"b\c`, true},
		{"/a\nfiles:", `"/a\nfiles:"`, `"/a\nfiles:"`, false},
		{"/\x1b[2J", `"/\x1b[2J"`, `"/\x1b[2J"`, false},
		{"/\u202etxt", `"/\u202etxt"`, `"/\u202etxt"`, true},
		{"/\xff", `"/\xff"`, `"/\xff"`, false},
	} {
		if got := quoted(c.path); got != c.quoted {
			t.Errorf("quoted(%q) = %s; want %s", c.path, got, c.quoted)
		}
		if got := printable(c.path); got != c.printable {
			t.Errorf("printable(%q) = %s; want %s", c.path, got, c.printable)
		}
		if got := writable(c.path); got != c.writable {
			t.Errorf("writable(%q) = %v; want %v", c.path, got, c.writable)
		}
	}
}
