package cgroup

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Layout says how this system arranges its control groups.
type Layout string

// The layouts. On a hybrid system version 2 is mounted beside version 1, which
// holds some or all of the controllers.
const (
	LayoutNone   Layout = "none"
	LayoutV1     Layout = "v1"
	LayoutHybrid Layout = "hybrid"
	LayoutV2     Layout = "v2"
)

// Hierarchy is one mounted tree of groups.
type Hierarchy struct {
	Mount       string   // where it is mounted
	Own         string   // the folder of the caller's own group
	V2          bool     // the unified tree, version 2
	Controllers []string // those it can bound below Mount
}

// System is what control groups look like from here.
type System struct {
	Hierarchies []Hierarchy
	tree        tree
}

// tree makes and removes folders: the kernel's, or a test's in a common folder.
type tree struct {
	mkdir, rmdir func(path string) error
}

// Discover reads which hierarchies are mounted and where the caller is in each.
// A system without any is no error.
func Discover() (*System, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	s := parse(mounts, own)
	s.readControllers()
	s.tree = tree{
		mkdir: func(path string) error { return os.Mkdir(path, 0o755) },
		rmdir: func(path string) error {
			if err := syscall.Rmdir(path); err != nil {
				return &os.PathError{Op: "rmdir", Path: path, Err: err}
			}
			return nil
		},
	}
	return s, nil
}

// readControllers asks version 2 what it holds; a mount option says so of version 1.
func (s *System) readControllers() {
	for i := range s.Hierarchies {
		if h := &s.Hierarchies[i]; h.V2 {
			content, _ := os.ReadFile(h.Mount + "/cgroup.controllers")
			h.Controllers = strings.Fields(string(content))
		}
	}
}

// Layout tells the arrangement.
func (s *System) Layout() Layout {
	var v1, v2 bool
	for _, h := range s.Hierarchies {
		v1, v2 = v1 || !h.V2, v2 || h.V2
	}
	switch {
	case v1 && v2:
		return LayoutHybrid
	case v1:
		return LayoutV1
	case v2:
		return LayoutV2
	}
	return LayoutNone
}

// find returns the hierarchy that holds a controller, or nil.
func (s *System) find(controller string) *Hierarchy {
	for i := range s.Hierarchies {
		if slices.Contains(s.Hierarchies[i].Controllers, controller) {
			return &s.Hierarchies[i]
		}
	}
	return nil
}

// parse reads mountinfo (proc_pid_mountinfo(5)) and the caller's line in each
// hierarchy (cgroups(7), "/proc files"). A hierarchy of which the caller's group is out
// of sight, as behind a bind mount, is left out.
func parse(mountinfo, own []byte) *System {
	s := &System{}
	groups := ownGroups(own)
	lines := bufio.NewScanner(bytes.NewReader(mountinfo))
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		mount, fs := strings.Fields(before), strings.Fields(after)
		if !ok || len(mount) < 6 || len(fs) < 3 {
			continue
		}
		h := Hierarchy{Mount: unescape(mount[4]), V2: fs[0] == "cgroup2"}
		var group string
		switch fs[0] {
		case "cgroup":
			h.Controllers = strings.Split(fs[2], ",")
			group, ok = groups.v1(h.Controllers)
		case "cgroup2":
			group, ok = groups[""]
		default:
			continue
		}
		below, visible := beneath(unescape(mount[3]), group)
		if !ok || !visible || s.mounted(&h) {
			continue
		}
		h.Own = path.Join(h.Mount, below)
		s.Hierarchies = append(s.Hierarchies, h)
	}
	return s
}

// mounted tells whether an earlier mount shows the same hierarchy.
func (s *System) mounted(h *Hierarchy) bool {
	return slices.ContainsFunc(s.Hierarchies, func(other Hierarchy) bool {
		return other.V2 == h.V2 && (h.V2 || slices.Equal(other.Controllers, h.Controllers))
	})
}

// groupOf holds the caller's group by controller; version 2's key is "".
type groupOf map[string]string

func ownGroups(content []byte) groupOf {
	groups := groupOf{}
	for line := range strings.Lines(string(content)) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		if id == "0" && controllers == "" {
			groups[""] = group
			continue
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			groups[controller] = group
		}
	}
	return groups
}

// v1 finds the group by any of a mount's options: the rest, such as rw, are in
// no line of /proc/self/cgroup.
func (g groupOf) v1(options []string) (string, bool) {
	for _, option := range options {
		if group, ok := g[option]; ok && option != "" {
			return group, true
		}
	}
	return "", false
}

// beneath returns the group's path below the mount's root, and whether it is
// there at all: ".." leads out of the caller's control group namespace.
func beneath(root, group string) (string, bool) {
	if group != path.Clean(group) {
		return "", false
	}
	if root == "/" || root == group {
		return strings.TrimPrefix(group, root), true
	}
	return strings.CutPrefix(group, root+"/")
}

// unescape undoes mountinfo's octal escapes of blanks and backslashes.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
