package learn

import (
	"slices"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

var here = policy.Target{Arch: abi.AMD64, Home: "/home/ann", Dir: "/home/ann/work", Kernel: policy.Version{Major: 6, Minor: 12}}

// begun is a policy of which nothing was learnt yet.
func begun(t *testing.T) []byte {
	t.Helper()
	text, err := Begin("app", "make test", here.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parsed(t *testing.T, text []byte) *policy.Policy {
	t.Helper()
	p, err := document.Parse("app.yaml", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := p.Check(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return p
}

// Text of the program's can't leave the comment that it stands in.
func TestBegin(t *testing.T) {
	text, err := Begin("app", "sh -c 'a\nfiles: {rw: [/]}\u2028'", here.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	if p := parsed(t, text); len(p.Files.ReadWrite) > 0 || p.Name != "app" || p.Baseline != here.Kernel && p.Baseline.String() != "6.12" {
		t.Errorf("Begin(...) makes\n%s", text)
	}
	if !strings.Contains(string(text), "sh -c 'a?files: {rw: [/]}?'") {
		t.Errorf("Begin(...) doesn't show the command:\n%s", text)
	}
}

// What the base allows is allowed without a look; all else comes to the listener.
func TestWatch(t *testing.T) {
	watch, err := Watch(here)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		call string
		args [6]uint64
		want filter.Action
	}{
		{"read", [6]uint64{}, filter.ActionAllow},
		{"openat", [6]uint64{}, filter.ActionNotify},
		{"mount", [6]uint64{}, filter.ActionNotify},
		{"mmap", [6]uint64{2: 3}, filter.ActionAllow},
		{"mmap", [6]uint64{2: 5}, filter.ActionNotify},
		{"mprotect", [6]uint64{2: 4}, filter.ActionNotify},
		{"newfstatat", [6]uint64{3: 0x1000}, filter.ActionAllow},
		{"newfstatat", [6]uint64{3: 0x1100}, filter.ActionNotify},
		{"sendto", [6]uint64{}, filter.ActionAllow},
		{"sendto", [6]uint64{4: 1 << 40}, filter.ActionNotify},
		{"clone", [6]uint64{0x1200011}, filter.ActionAllow},
		{"clone", [6]uint64{0x10000000}, filter.ActionNotify},
		{"clone3", [6]uint64{}, filter.Errno(abi.ENOSYS)},
		{"io_uring_setup", [6]uint64{}, filter.Errno(abi.ENOSYS)},
	} {
		number, _ := abi.AMD64.Number(c.call)
		got, _, _ := watch.Decide(filter.DataOf(abi.Call{Arch: abi.AMD64, Nr: number, Args: c.args}))
		if got != c.want {
			t.Errorf("%s%v: %v; want %v", c.call, c.args, got, c.want)
		}
	}
	if watch.Foreign != filter.ActionKillProcess {
		t.Errorf("foreign calls: %v", watch.Foreign)
	}
}

// Each argument that is looked at is one that the call has.
func TestLooks(t *testing.T) {
	found := 0
	for name := range abi.Names() {
		differ := looksOf(name)
		row, _ := abi.Lookup(name)
		found += len(differ)
		for _, k := range differ {
			if _, arg, ok := argument(row, k.arg); !ok || arg.Pointer() {
				t.Errorf("%s has no argument %s that a filter sees", name, k.arg)
			}
			if k.mask != "" && k.bits(abi.AMD64) == 0 {
				t.Errorf("%s: the mask %s is empty", name, k.mask)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d arguments are told apart: is a call misspelt?", found)
	}
	if !slices.Contains(strings.Split(namespaces, "|"), "CLONE_NEWUSER") {
		t.Error("no CLONE_NEWUSER among the namespaces")
	}
}
