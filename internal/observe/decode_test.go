package observe

import (
	"bytes"
	"os"
	"testing"
)

func TestInterpreter(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"/bin/sh\necho", "/bin/sh"},
		{" \t/usr/bin/env python3\n", "/usr/bin/env"},
		{"sh", "sh"},
		{"", ""},
		{"\n/bin/sh", ""},
		{"/bin/sh\x00x", "/bin/sh"},
	} {
		if got := scriptInterpreter(c.line); got != c.want {
			t.Errorf("scriptInterpreter(%q) = %q; want %q", c.line, got, c.want)
		}
	}
	if got := interpreter("/proc/self/exe-none"); got != "" {
		t.Errorf("the interpreter of nothing is %q", got)
	}
	if got := interpreter(t.TempDir()); got != "" {
		t.Errorf("the interpreter of a folder is %q", got)
	}
	script := t.TempDir() + "/script"
	if err := os.WriteFile(script, []byte("#!/bin/sh -e\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := interpreter(script); got != "/bin/sh" {
		t.Errorf("the interpreter of a script is %q", got)
	}
	if got := interpreter("/bin/sh"); got == "" || got[0] != '/' {
		t.Skipf("/bin/sh is no dynamic program here: %q", got)
	}
}

// Files are the target's own: no content makes the observer fail.
func FuzzLoader(f *testing.F) {
	shell, err := os.ReadFile("/bin/sh")
	if err == nil {
		f.Add(shell[:min(len(shell), 4096)])
	}
	f.Add([]byte("\x7fELF\x02\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		head := text[:min(len(text), 256)]
		if got := loader(bytes.NewReader(text), head); len(got) > 4096 {
			t.Errorf("a loader of %d bytes", len(got))
		}
		if got := scriptInterpreter(string(head)); bytes.ContainsAny([]byte(got), " \t\n") {
			t.Errorf("scriptInterpreter(%q) = %q", head, got)
		}
	})
}

func TestIsLoopback(t *testing.T) {
	in4 := func(a, b, c, d byte) []byte { return []byte{2, 0, 0, 80, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0} }
	in6 := func(last ...byte) []byte {
		address := make([]byte, 28)
		address[0] = 10
		copy(address[24-len(last):], last)
		return address
	}
	for _, c := range []struct {
		family  uint16
		address []byte
		want    bool
	}{
		{2, in4(127, 0, 0, 1), true},
		{2, in4(127, 9, 9, 9), true},
		{2, in4(10, 0, 0, 1), false},
		{2, []byte{2, 0, 0, 80}, false},
		{10, in6(1), true},
		{10, in6(2), false},
		{10, in6(0xff, 0xff, 127, 0, 0, 1), true},
		{10, []byte{10, 0}, false},
		{1, nil, false},
	} {
		if got := isLoopback(c.family, c.address); got != c.want {
			t.Errorf("isLoopback(%d, %v) = %v", c.family, c.address, got)
		}
	}
}
