package floors

import (
	"slices"
	"testing"
)

// top is the floor of what nothing may import: commands, generators, examples.
const top = 7

// floor is the floor of each package, by its path below the module. A package
// that is missing here, or in tops, fails the test: deciding where it stands is
// part of adding it.
var floor = map[string]int{
	"abi":                      0,
	"internal/digest":          0,
	"internal/floors":          0,
	"event":                    1,
	"internal/sys":             1,
	"filter":                   2,
	"gate":                     2,
	"internal/attack":          2,
	"internal/probe":           2,
	"gate/gatetest":            3,
	"policy":                   3,
	"internal/cgroup":          3,
	"internal/region":          3,
	"policy/document":          4,
	"policy/diff":              4,
	"policy/oci":               4,
	"policy/schema":            4,
	"internal/jail":            4,
	"internal/notify":          4,
	"policy/learn":             5,
	"internal/ask":             6,
	"internal/audit":           5,
	"internal/guard":           5,
	"internal/guard/files":     5,
	"internal/guard/guardtest": 5,
	"internal/guard/sockets":   6,
	"internal/relay":           5,
	"internal/observe":         6,
	"cmd/callgate":             top,
}

// tops are the trees whose packages all stand on the top floor.
var tops = []string{"bench", "examples", "internal/cmd"}

// pure are the packages that take values and give values.
var pure = []string{"abi", "event", "filter", "gate", "internal/digest", "internal/region", "policy", "policy/document", "policy/learn", "policy/diff", "policy/oci", "policy/schema"}

// impure is what no pure package may import, and why.
var impure = map[string]string{
	module + "/internal/sys": "a pure package does not touch the kernel",
	"os/exec":                "a pure package starts no process",
	"os/signal":              "a pure package is sent no signal",
	"golang.org/x/sys/unix":  "a pure package builds on every system",
	"syscall":                "a pure package builds on every system",
	"unsafe":                 "a pure package has no memory but Go's",
}

// clocks are the functions of package time that read or wait on a clock.
var clocks = []string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer",
}

// doors are the packages that may import golang.org/x/sys and unsafe; attackers
// knock at the kernel's own door.
var doors = []string{"internal/sys", "internal/attack"}

func TestEveryPackageStandsOnItsFloor(t *testing.T) {
	packages := readModule(t, "../..")
	for _, want := range []string{"abi", "filter"} {
		if !slices.ContainsFunc(packages, func(p pkg) bool { return p.path == want }) {
			t.Errorf("read %d packages without %s: the reader misses some", len(packages), want)
		}
	}
	for _, complaint := range check(packages) {
		t.Error(complaint)
	}
}

func TestEveryFloorHasAPackage(t *testing.T) {
	packages := readModule(t, "../..")
	for path := range floor {
		if !slices.ContainsFunc(packages, func(p pkg) bool { return p.path == path }) {
			t.Errorf("floor table names %s, which is not in the module", path)
		}
	}
}
