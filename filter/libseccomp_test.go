package filter

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// libseccomp is a running testdata/libseccomp.c.
type libseccomp struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// startLibseccomp builds and starts the peer compiler.
func startLibseccomp(t testing.TB) *libseccomp {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs gcc: to compare with libseccomp")
	}
	probe := exec.Command(cc, "-E", "-x", "c", "-")
	probe.Stdin = strings.NewReader("#include <seccomp.h>\n")
	if err := probe.Run(); err != nil {
		t.Skip("needs libseccomp-dev: to compare with it")
	}
	binary := filepath.Join(t.TempDir(), "libseccomp")
	if out, err := exec.Command(cc, "-O1", "-o", binary, "testdata/libseccomp.c", "-lseccomp").CombinedOutput(); err != nil {
		t.Fatalf("build testdata/libseccomp.c: %v\n%s", err, out)
	}
	cmd := exec.Command(binary)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("libseccomp: %v", err)
		}
	})
	return &libseccomp{in, bufio.NewReader(out)}
}

// comparisons are libseccomp's enum scmp_compare.
var comparisons = map[Op]int{NotEqual: 1, Less: 2, LessEqual: 3, Equal: 4, GreaterEqual: 5, Greater: 6, MaskedEqual: 7}

// compile gives the filter's rules to libseccomp. Optimize 1 is its default, a
// list of comparisons by priority; 2 is its binary tree. Rules with the default
// action are left out, since libseccomp refuses them; sets become several rules.
func (l *libseccomp) compile(t testing.TB, f *Filter, optimize int) Program {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "filter %d %d\n", optimize, f.Foreign)
	for i := range f.Tables {
		table := &f.Tables[i]
		fmt.Fprintf(&b, "arch %d %d\n", table.Arch.Audit(), table.Default)
		for _, r := range table.Rules {
			if r.Then != table.Default {
				writeRule(&b, r, nil)
			}
		}
	}
	b.WriteString("end\n")
	if _, err := io.WriteString(l.in, b.String()); err != nil {
		t.Fatal(err)
	}
	var length int32
	if err := binary.Read(l.out, binary.NativeEndian, &length); err != nil {
		t.Fatal(err)
	}
	if length < 0 {
		t.Fatalf("libseccomp: errno %d for\n%s", -length, b.String())
	}
	code := make([]byte, length)
	if _, err := io.ReadFull(l.out, code); err != nil {
		t.Fatal(err)
	}
	p, err := ParseProgram(code)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// writeRule writes a rule whose first conditions are done; a set makes a rule
// for each of its values.
func writeRule(b *strings.Builder, r Rule, done []Cond) {
	for i := len(done); i < len(r.When); i++ {
		c := r.When[i]
		if c.Op != In {
			done = append(done, c)
			continue
		}
		for _, v := range c.Values {
			writeRule(b, r, append(done[:i:i], Cond{Arg: c.Arg, Op: Equal, Values: []uint64{v}}))
		}
		return
	}
	fmt.Fprintf(b, "rule %d %d %d", r.Then, r.Nr, len(done))
	for _, c := range done {
		first, second := c.Values[0], uint64(0)
		if c.Op == MaskedEqual {
			first, second = c.Mask, c.Values[0]
		}
		fmt.Fprintf(b, " %d %d %d %d", c.Arg, comparisons[c.Op], first, second)
	}
	b.WriteString("\n")
}
