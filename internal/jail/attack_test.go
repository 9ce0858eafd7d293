package jail

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/callgate/callgate/internal/attack"
)

// trial is one attack and the walls that stop it.
type trial struct {
	attack string
	aim    func(t *testing.T, s *scene) string // what it is aimed at; nil for nothing
	needs  func(t *testing.T)                  // skips where the attack could not work

	// from are the walls the attack is tried from: none, or those that keep the
	// machine from harm. There it must succeed.
	from []Wall
	// inside replaces the root by one that hides nothing (with Mounts in from).
	inside bool
	// withheld has the policy withhold parts of the working directory.
	withheld bool
	// works is the outcome of success, if not attack.Done.
	works string

	// stops lists sets of walls each of which, added to from, stops it.
	stops [][]Wall
	// landlock is the ABI from which on Landlock stops it, 0 if every one does. A
	// kernel with an older one leaves it to the other walls.
	landlock int
	// open says why the attack also succeeds without namespaces, behind
	// Landlock and the filter; "" where those stop it.
	open string
}

func each(walls ...Wall) (sets [][]Wall) {
	for _, w := range walls {
		sets = append(sets, []Wall{w})
	}
	return sets
}

// TestAttacks shows for every attack that it succeeds, that each wall said to
// stop it stops it alone, and that it fails behind all of them and behind those
// that are left where a user may not create namespaces.
func TestAttacks(t *testing.T) {
	for _, list := range [][]trial{fileTrials, processTrials, namespaceTrials, mountTrials, socketTrials, kernelTrials, programTrials} {
		for _, c := range list {
			t.Run(c.attack, func(t *testing.T) {
				if c.needs != nil {
					c.needs(t)
				}
				s := newScene(t)
				if c.withheld {
					s.protect()
				}
				c.run(t, s)
			})
		}
	}
}

func (c *trial) run(t *testing.T, s *scene) {
	if !s.canHave(c.from...) {
		needsNamespaces(t)
	}
	from := s.with(c.from)
	success := attack.Done
	if c.works != "" {
		success = c.works
	}
	switch got := c.try(t, s, from); got {
	case success:
	case "ENOSYS", "EAFNOSUPPORT":
		t.Skip("kernel lacks: a call to " + c.attack)
	default:
		t.Fatalf("without the walls %v: %s; want %s", c.stops, got, success)
	}
	open := c.open
	older := s.host.landlock < c.landlock
	if older {
		open = fmt.Sprintf("Landlock stops it from ABI %d on, and this kernel has ABI %d", c.landlock, s.host.landlock)
	}
	for _, walls := range c.stops {
		if older && slices.Contains(walls, Landlock) || !s.canHave(walls...) {
			continue
		}
		if err := refusal(c.try(t, s, s.with(c.from, walls...)), success); err != nil {
			t.Errorf("behind %v: %v", walls, err)
		}
	}
	if s.canHave(namespaceWalls...) {
		if err := refusal(c.try(t, s, s.allWalls()), success); err != nil {
			t.Errorf("behind all walls: %v", err)
		}
	}
	switch err := refusal(c.try(t, s, s.fallbackWalls()), success); {
	case open != "" && err == nil:
		t.Errorf("without namespaces it fails; but it should succeed, since %s", open)
	case open == "" && err != nil:
		t.Errorf("without namespaces: %v", err)
	}
}

// try makes one attempt behind exactly the given walls.
func (c *trial) try(t *testing.T, s *scene, walls []Wall) string {
	t.Helper()
	spec := s.spec(t)
	only := len(walls) == len(s.with(c.from))
	if c.inside && (only || !slices.Contains(walls, Limits)) {
		openRoot(spec)
	}
	if !s.host.privileged {
		walls = asOrdinaryUser(s, spec, walls)
	}
	aim := ""
	if c.aim != nil {
		aim = c.aim(t, s)
	}
	return behind(t, s, spec, walls, testBinary(t), "attack", c.attack, aim)
}

// asOrdinaryUser fits walls to one: where the target is to have its capabilities,
// in the user namespace, it must be given them to outlive execve, and a /proc
// can be mounted only for a pid namespace of one's own.
func asOrdinaryUser(s *scene, spec *Spec, walls []Wall) []Wall {
	if slices.Contains(walls, Mounts) && !slices.Contains(walls, Pids) {
		spec.Mounts = slices.DeleteFunc(spec.Mounts, func(m Mount) bool { return m.Kind == Proc })
	}
	if !slices.Contains(walls, User) || slices.Contains(walls, Capabilities) {
		return walls
	}
	for c := range s.host.lastCapability + 1 {
		spec.Capabilities = append(spec.Capabilities, c)
	}
	return append(slices.Clone(walls), Capabilities)
}

// refusal returns nil if an outcome is one of failure: an errno, a search in
// vain, or death by the filter. Anything else is success, or proves nothing.
func refusal(outcome, success string) error {
	switch {
	case outcome == success:
	case strings.HasPrefix(outcome, "not started: hide or restrict"):
		return nil
	case outcome == attack.ErrNotFound.Error(), outcome == "killed by BAD SYSTEM CALL", outcome == "the loader refused":
		return nil
	case outcome != "" && strings.HasPrefix(outcome, "E") && strings.ToUpper(outcome) == outcome:
		return nil
	}
	return fmt.Errorf("%q is no refusal", outcome)
}

func needsRoot(why string) func(*testing.T) {
	return func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skipf("needs root: %s", why)
		}
	}
}

func needsFile(path string) func(*testing.T) {
	return func(t *testing.T) {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("kernel lacks: %s", path)
		}
	}
}

func all(needs ...func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		for _, need := range needs {
			need(t)
		}
	}
}
