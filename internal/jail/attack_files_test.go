package jail

import (
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/attack"
)

func outside(_ *testing.T, s *scene) string  { return s.outside }
func hidden(_ *testing.T, s *scene) string   { return s.hidden }
func guarded(_ *testing.T, s *scene) string  { return s.guarded }
func readable(_ *testing.T, s *scene) string { return s.readable }

func aimAt(name string) func(*testing.T, *scene) string {
	return func(*testing.T, *scene) string { return name }
}

var fileTrials = []trial{
	{attack: "read", aim: outside, stops: each(Mounts, Landlock)},
	{attack: "write", aim: readable, stops: each(Mounts, Landlock)},
	{attack: "truncate", aim: readable, landlock: 3, stops: each(Mounts, Landlock)},
	{attack: "create", aim: func(_ *testing.T, s *scene) string { return filepath.Dir(s.readable) + "/new" }, stops: each(Mounts, Landlock)},
	{attack: "change mode", aim: readable, stops: each(Mounts), open: "Landlock has no right for file modes"},
	{attack: "symbolic link to it", aim: outside, stops: each(Mounts, Landlock)},
	{attack: "hard link to it", aim: readable, stops: each(Mounts, Landlock)},
	{attack: "rename what it lies in", aim: hidden, withheld: true, stops: [][]Wall{{Mounts, Capabilities}}},
	{attack: "replace the folder it lies in", aim: guarded, withheld: true, stops: each(Mounts)},
	{attack: "open by handle", aim: handle, needs: needsRoot("to open by handle"), from: []Wall{Mounts}, stops: each(Capabilities, Filter)},
	{attack: "change root", needs: needsNamespaces, from: []Wall{Mounts}, inside: true, stops: each(Capabilities, Filter)},

	// Files of the kernel's, which act on the whole machine.
	{attack: "write", aim: aimAt("/proc/sys/kernel/core_pattern"), needs: needsRoot("to write it"), stops: each(Mounts, Landlock)},
	{attack: "write", aim: aimAt("/proc/sysrq-trigger"), needs: all(needsFile("/proc/sysrq-trigger"), needsRoot("to write it")), stops: each(Mounts, Landlock)},
	{attack: "write", aim: aimAt("/proc/irq/default_smp_affinity"), needs: all(needsFile("/proc/irq/default_smp_affinity"), needsRoot("to write it")), stops: each(Mounts, Landlock)},
	{attack: "open", aim: aimAt("/proc/kcore"), needs: all(needsFile("/proc/kcore"), needsRoot("to read it")), stops: each(Capabilities)},

	// Hardware.
	{attack: "open", aim: aimAt("/dev/kmsg"), needs: all(needsFile("/dev/kmsg"), needsRoot("to open it")), stops: each(Mounts, Landlock)},
	{attack: "change mode", aim: aimAt("/dev/null"), needs: needsRoot("to change it"), stops: each(Mounts), open: "Landlock has no right for file modes"},
	{attack: "make a device node", needs: needsRoot("to make one"), stops: each(Mounts, Landlock, Capabilities)},

	// Calls through a ring are not filtered, but the other walls hold for them.
	{attack: "open through a ring", aim: outside, stops: each(Mounts, Landlock, Filter)},
	{attack: "open a netlink socket through a ring", stops: each(Filter)},
}

// handle names the secret as open_by_handle_at(2) takes it.
func handle(t *testing.T, s *scene) string {
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, s.outside, 0)
	if err != nil {
		t.Skipf("kernel lacks: file handles on the file system of %s: %v", s.outside, err)
	}
	return fmt.Sprintf("%d %x", h.Type(), h.Bytes())
}

// A folder above the root that the caller holds open, and a socket that is
// connected to something outside, must not be handed down.
func TestInheritedDescriptors(t *testing.T) {
	for _, c := range []struct {
		attack string
		open   func(t *testing.T) int
		from   []Wall
	}{
		{"open beneath an inherited descriptor", inheritableFolder, []Wall{Filter, Capabilities}},
		{"write to an inherited socket", inheritableSocket, nil},
	} {
		t.Run(c.attack, func(t *testing.T) {
			s := newScene(t)
			fd := c.open(t)
			walls := c.from
			if walls == nil {
				walls = s.allWalls()
			}
			keeping := s.spec(t)
			keeping.Keep = []int{fd}
			if got := behind(t, s, keeping, walls, testBinary(t), "attack", c.attack, s.outside[1:]); got != "done" {
				t.Fatalf("with descriptor %d kept: %s; want done", fd, got)
			}
			for name, walls := range map[string][]Wall{"same walls": walls, "all walls": s.allWalls(), "fallback": s.fallbackWalls()} {
				if err := refusal(behind(t, s, s.spec(t), walls, testBinary(t), "attack", c.attack, s.outside[1:]), attack.Done); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func inheritableFolder(t *testing.T) int {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func inheritableSocket(t *testing.T) int {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0]
}

// A kept folder leads outside only where Landlock is missing: it judges the
// whole path of a file, however it was reached.
func TestKeptFolderEndsAtLandlock(t *testing.T) {
	s := newScene(t)
	spec := s.spec(t)
	spec.Keep = []int{inheritableFolder(t)}
	if err := refusal(behind(t, s, spec, s.fallbackWalls(), testBinary(t), "attack", "open beneath an inherited descriptor", s.outside[1:]), attack.Done); err != nil {
		t.Error(err)
	}
}
