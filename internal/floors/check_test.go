package floors

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/callgate/callgate"

// pkg is one package as its non-test files show it.
type pkg struct {
	path    string   // below the module, with slashes
	imports []string // full import paths, sorted
	clocks  []string // functions of package time it uses, sorted
}

// floorOf returns the floor that path stands on.
func floorOf(path string) (int, bool) {
	if f, ok := floor[path]; ok {
		return f, true
	}
	for _, tree := range tops {
		if path == tree || strings.HasPrefix(path, tree+"/") {
			return top, true
		}
	}
	return 0, false
}

// check returns a sentence for each rule that packages break.
func check(packages []pkg) []string {
	var complaints []string
	for _, p := range packages {
		complaints = append(complaints, checkFloor(p)...)
		complaints = append(complaints, checkDoor(p)...)
		if slices.Contains(pure, p.path) {
			complaints = append(complaints, checkPure(p)...)
		}
	}
	return complaints
}

func checkFloor(p pkg) []string {
	own, ok := floorOf(p.path)
	if !ok {
		return []string{fmt.Sprintf("%s stands on no floor: add it to the table in floors_test.go and in docs/architecture.md", p.path)}
	}
	var complaints []string
	for _, path := range p.imports {
		inside, ok := strings.CutPrefix(path, module+"/")
		if !ok {
			continue
		}
		below, ok := floorOf(inside)
		switch {
		case !ok:
			complaints = append(complaints, fmt.Sprintf("%s imports %s, which stands on no floor", p.path, inside))
		case below >= own && own != top, below == top && !sameTree(p.path, inside):
			complaints = append(complaints, fmt.Sprintf("%s (floor %d) imports %s (floor %d): imports point down", p.path, own, inside, below))
		}
	}
	return complaints
}

// sameTree tells whether two packages of the top floor belong to one program,
// as examples/mail and examples/mail/smtp do.
func sameTree(a, b string) bool {
	return strings.HasPrefix(a+"/", b+"/") || strings.HasPrefix(b+"/", a+"/")
}

func checkDoor(p pkg) []string {
	if slices.Contains(doors, p.path) || strings.HasPrefix(p.path, "internal/cmd/") {
		return nil
	}
	var complaints []string
	for _, path := range p.imports {
		if path == "unsafe" || strings.HasPrefix(path, "golang.org/x/sys/") {
			complaints = append(complaints, fmt.Sprintf("%s imports %s: internal/sys is the only door to the kernel", p.path, path))
		}
	}
	return complaints
}

func checkPure(p pkg) []string {
	var complaints []string
	for _, path := range p.imports {
		if why, ok := impure[path]; ok {
			complaints = append(complaints, fmt.Sprintf("%s imports %s: %s", p.path, path, why))
		}
	}
	for _, name := range p.clocks {
		complaints = append(complaints, fmt.Sprintf("%s uses time.%s: a pure package reads no clock", p.path, name))
	}
	return complaints
}

func TestCheckComplains(t *testing.T) {
	in := func(path string) string { return module + "/" + path }
	tests := []struct {
		name string
		in   pkg
		want []string
	}{
		{"downward", pkg{path: "policy", imports: []string{"fmt", in("abi"), in("filter")}}, nil},
		{"upward", pkg{path: "filter", imports: []string{in("policy")}}, []string{
			"filter (floor 2) imports policy (floor 3): imports point down",
		}},
		{"sideways", pkg{path: "policy", imports: []string{in("internal/cgroup")}}, []string{
			"policy (floor 3) imports internal/cgroup (floor 3): imports point down",
		}},
		{"unknown package", pkg{path: "attic"}, []string{
			"attic stands on no floor: add it to the table in floors_test.go and in docs/architecture.md",
		}},
		{"unknown import", pkg{path: "policy", imports: []string{in("attic")}}, []string{
			"policy imports attic, which stands on no floor",
		}},
		{"command imports command", pkg{path: "cmd/callgate", imports: []string{in("internal/cmd/mkabi")}}, []string{
			"cmd/callgate (floor 7) imports internal/cmd/mkabi (floor 7): imports point down",
		}},
		{"example imports its own part", pkg{path: "examples/mail", imports: []string{in("examples/mail/smtp")}}, nil},
		{"second door", pkg{path: "internal/jail", imports: []string{"golang.org/x/sys/unix", "unsafe"}}, []string{
			"internal/jail imports golang.org/x/sys/unix: internal/sys is the only door to the kernel",
			"internal/jail imports unsafe: internal/sys is the only door to the kernel",
		}},
		{"the door itself", pkg{path: "internal/sys", imports: []string{"golang.org/x/sys/unix", "unsafe"}}, nil},
		{"pure package with a process and a clock", pkg{path: "abi", imports: []string{"os/exec"}, clocks: []string{"Now"}}, []string{
			"abi imports os/exec: a pure package starts no process",
			"abi uses time.Now: a pure package reads no clock",
		}},
		{"impure package with a clock", pkg{path: "internal/jail", clocks: []string{"Now"}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, check([]pkg{test.in})); diff != "" {
				t.Errorf("check(%+v) (-want +got):\n%s", test.in, diff)
			}
		})
	}
}
