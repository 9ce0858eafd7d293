package cgroup

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// TestV2KillForReal ends a process by a real version 2 group, which a hybrid
// system has too, if without the controllers that Limits need.
func TestV2KillForReal(t *testing.T) {
	system, err := Discover()
	if err != nil {
		t.Fatal(err)
	}
	var unified *Hierarchy
	for i := range system.Hierarchies {
		if system.Hierarchies[i].V2 {
			unified = &system.Hierarchies[i]
		}
	}
	if unified == nil {
		t.Skip("kernel lacks: a mounted version 2 hierarchy")
	}
	d, err := system.makeDir(unified, nil)
	if err != nil && os.Geteuid() != 0 {
		t.Skipf("needs root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	g := &Group{tree: system.tree, dirs: []*dir{d}}
	t.Cleanup(func() {
		if err := errors.Join(g.Kill(), g.Remove()); err != nil {
			t.Error(err)
		}
	})
	if d.procs, err = os.OpenFile(d.path+"/cgroup.procs", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	// What a program that may write the tree could do: a group below.
	if err := os.Mkdir(d.path+"/below", 0o755); err != nil {
		t.Fatal(err)
	}
	out, _ := run(t, g, "flee")
	var left [2]int
	if _, err := fmt.Sscan(out, &left[0], &left[1]); err != nil {
		t.Fatalf("victim said %q", out)
	}
	if err := system.tree.remove(d.path); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("remove of a group with processes = %v; want EBUSY", err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if list, err := d.processes(); err != nil || len(list) != 0 {
		t.Errorf("after Kill the group holds %v, %v", list, err)
	}
}
