package jail

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/filter"
)

var update = flag.Bool("update", false, "rewrite the plans in testdata")

// TestPlans compares plans with those in testdata, which are written for people
// to read: what is done, in which order, for which wall.
func TestPlans(t *testing.T) {
	mounts := []Mount{
		{Kind: Bind, Target: "/usr", Source: "/usr", Access: Read | Execute, Folder: true},
		{Kind: Link, Target: "/bin", Source: "usr/bin"},
		{Kind: Bind, Target: "/etc", Source: "/etc", Access: Read, Folder: true},
		{Kind: Hidden, Target: "/etc/shadow"},
		{Kind: Hidden, Target: "/etc/ssh", Folder: true},
		{Kind: Private, Target: "/tmp", Access: Read | Write | Execute, Folder: true},
		{Kind: Bind, Target: "/tmp/work", Source: "/tmp/work", Access: Read | Write | Execute, Folder: true},
		{Kind: Proc, Target: "/proc", Folder: true},
		{Kind: Dev, Target: "/dev", Folder: true},
	}
	root := host{privileged: true, dropsBounding: true, lastCapability: 3, landlock: 7}
	user := host{uid: 1000, gid: 1000, lastCapability: 3, landlock: 7}
	spec := func(change func(*Spec)) *Spec {
		s := &Spec{
			Args: []string{"/bin/true"}, Dir: "/tmp/work", Umask: 0o22, Hostname: "callgate", UID: -1, GID: -1,
			Mounts: mounts,
			Limits: []Limit{{Resource: 4}},
			Filter: func(func(Wall) bool) (filter.Program, error) {
				return filter.Program{{Code: 6, K: uint32(filter.ActionAllow)}}, nil
			},
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		}
		if change != nil {
			change(s)
		}
		return s
	}
	ports := []uint16{443}
	for _, c := range []struct {
		name string
		host host
		spec *Spec
		lost []Wall
	}{
		{"user", user, spec(nil), nil},
		{"root-as-nobody", root, spec(func(s *Spec) {
			s.UID, s.GID, s.Capabilities = 65534, 65534, []int{2}
			s.Mounts = append(slices.Clone(mounts),
				Mount{Kind: Private, Target: "/home/ann", Access: Read | Write | Execute, Folder: true, own: true},
				Mount{Kind: Bind, Target: "/home/ann/.config/git", Source: "/home/ann/.config/git", Access: Read, Folder: true})
		}), nil},
		{"host-network", user, spec(func(s *Spec) { s.HostNetwork, s.Ports.Connect = true, &ports }), nil},
		{"without-namespaces", user, spec(func(s *Spec) {
			s.Mounts = []Mount{{Kind: Bind, Target: "/usr", Source: "/usr", Access: Read | Execute, Folder: true}, {Kind: Proc, Target: "/proc", Folder: true}}
		}), namespaceWalls},
		{"whole-root", user, spec(func(s *Spec) {
			s.Mounts = []Mount{{Kind: Bind, Target: "/", Source: "/", Access: Read, Folder: true}, {Kind: Private, Target: "/tmp", Access: Read | Write, Folder: true}}
		}), nil},
		{"nothing", user, spec(func(s *Spec) { s.Mounts, s.Limits, s.Dir = nil, nil, "" }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			walls := c.spec.initial(c.host)
			for _, w := range c.lost {
				walls[w] = false
			}
			plan := c.spec.planEarly(c.host, walls)
			if err := <-c.spec.completeAside(plan, c.host, walls, channels{}); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			text.WriteString("namespaces:" + namespacesOf(c.spec, walls) + "\n")
			printSteps(&text, "early init", plan.early.Init)
			printSteps(&text, "early target", plan.early.Target)
			printSteps(&text, "init", plan.init.Steps)
			printSteps(&text, "target", plan.target.Steps)
			file := filepath.Join("testdata", "plan", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Errorf("plan %s (-want +got):\n%s", c.name, diff)
			}
		})
	}
}
