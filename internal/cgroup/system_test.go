package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	hybridMounts = `22 27 0:21 / /proc rw,relatime - proc proc rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:5 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`
	hybridOwn = "4:memory:/jobs/a\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, mounts, own string
		layout            Layout
		want              []Hierarchy
	}{
		{"nothing", "", "", LayoutNone, nil},
		{"hybrid", hybridMounts, hybridOwn, LayoutHybrid, []Hierarchy{
			{Mount: "/sys/fs/cgroup/memory", Own: "/sys/fs/cgroup/memory/jobs/a", Controllers: []string{"rw", "memory"}},
			{Mount: "/sys/fs/cgroup/cpu,cpuacct", Own: "/sys/fs/cgroup/cpu,cpuacct", Controllers: []string{"rw", "cpu", "cpuacct"}},
			{Mount: "/sys/fs/cgroup/systemd", Own: "/sys/fs/cgroup/systemd", Controllers: []string{"rw", "name=systemd"}},
			{Mount: "/sys/fs/cgroup/unified", Own: "/sys/fs/cgroup/unified", V2: true},
		}},
		{
			"version 2 with a blank in the path", `30 23 0:26 / /my\040tree rw - cgroup2 cgroup2 rw`, "0::/a/b\n", LayoutV2,
			[]Hierarchy{{Mount: "/my tree", Own: "/my tree/a/b", V2: true}},
		},
		{
			"container: own group bound to the mount", "35 31 0:32 /docker/1 /cg/pids ro - cgroup cgroup rw,pids", "8:pids:/docker/1\n", LayoutV1,
			[]Hierarchy{{Mount: "/cg/pids", Own: "/cg/pids", Controllers: []string{"rw", "pids"}}},
		},
		{
			"container: below the bound group", "35 31 0:32 /docker/1 /cg/pids ro - cgroup cgroup rw,pids", "8:pids:/docker/1/x\n", LayoutV1,
			[]Hierarchy{{Mount: "/cg/pids", Own: "/cg/pids/x", Controllers: []string{"rw", "pids"}}},
		},
		{"another container's group", "35 31 0:32 /docker/1 /cg/pids ro - cgroup cgroup rw,pids", "8:pids:/docker/12\n", LayoutNone, nil},
		{"outside the namespace", "35 31 0:32 / /cg rw - cgroup2 cgroup2 rw", "0::/../x\n", LayoutNone, nil},
		{
			"mounted twice", "35 31 0:32 / /a rw - cgroup cgroup rw,pids\n36 31 0:32 / /b rw - cgroup cgroup rw,pids", "8:pids:/\n", LayoutV1,
			[]Hierarchy{{Mount: "/a", Own: "/a", Controllers: []string{"rw", "pids"}}},
		},
		{"garbage", "x\n - \n1 2 3 - cgroup\n", "::\nx\n", LayoutNone, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parse([]byte(tt.mounts), []byte(tt.own))
			if diff := cmp.Diff(tt.want, got.Hierarchies, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
			if layout := got.Layout(); layout != tt.layout {
				t.Errorf("Layout() = %s; want %s", layout, tt.layout)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(hybridMounts), []byte(hybridOwn))
	f.Add([]byte(`1 2 3 /a\0 /b\999 x - cgroup2 x x`), []byte("0::/a\\0/../b\n"))
	f.Fuzz(func(t *testing.T, mounts, own []byte) {
		for _, h := range parse(mounts, own).Hierarchies {
			// A group must never be looked for outside its own mount.
			mount := path.Join(h.Mount)
			if h.Own != mount && !strings.HasPrefix(h.Own, strings.TrimSuffix(mount, "/")+"/") {
				t.Errorf("own group %q lies outside the mount %q", h.Own, h.Mount)
			}
		}
	})
}

func TestLimitsCheck(t *testing.T) {
	tests := []struct {
		limits Limits
		ok     bool
	}{
		{Limits{Memory: 1, Swap: 1, Pids: 1, CPUs: 0.01}, true},
		{Limits{Memory: -1}, false},
		{Limits{Pids: -1}, false},
		{Limits{Swap: 1}, false},
		{Limits{Memory: 1 << 62, Swap: 1 << 62}, false},
		{Limits{CPUs: 0.001}, false},
		{Limits{CPUs: 1e9}, false},
	}
	for _, tt := range tests {
		if err := tt.limits.check(); (err == nil) != tt.ok {
			t.Errorf("%+v.check() = %v; want ok %v", tt.limits, err, tt.ok)
		}
	}
}

func TestCures(t *testing.T) {
	denied := &fs.PathError{Op: "mkdir", Path: "/sys/fs/cgroup/x", Err: syscall.EACCES}
	tests := []struct {
		err  error
		want string
	}{
		{errNoController, "cgroup_enable=memory"},
		{denied, "Delegate=yes"},
		{fmt.Errorf("%w: %w", errV1Denied, denied), "have root make you a group"},
		{&fs.PathError{Err: syscall.EROFS}, "--cgroupns=host -v /sys/fs/cgroup"},
		{&fs.PathError{Err: syscall.EBUSY}, "topmost group"},
		{errors.Join(errNoSwapAccount, fs.ErrNotExist), "swapaccount=1"},
		{syscall.EIO, "needs /proc"},
	}
	for _, tt := range tests {
		err := unavailable(memory, tt.err)
		if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "limit memory: ") {
			t.Errorf("error of %v = %q; want it to mention %q", tt.err, err, tt.want)
		}
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, tt.err) {
			t.Errorf("error of %v does not unwrap to its cause and ErrUnavailable", tt.err)
		}
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0", 1: "1", 1536: "1536", 2048: "2K", 512 << 20: "512M", 3 << 30: "3G"} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d) = %s; want %s", bytes, got, want)
		}
	}
}
