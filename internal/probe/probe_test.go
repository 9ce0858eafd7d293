package probe

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary report as another user; see TestOrdinaryUser.
func TestMain(m *testing.M) {
	if os.Getenv("PROBE_REPORT") != "" {
		if err := json.NewEncoder(os.Stdout).Encode(NewReport(All())); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestReportShowsEveryFeature(t *testing.T) {
	r := NewReport(All())
	seen := map[string]bool{}
	for _, s := range r.Features {
		t.Logf("%-28s %-8s %s %s %s", s.Name, s.State, s.Detail, s.Lacks, s.Cause)
		if seen[s.Name] {
			t.Errorf("%s is listed twice", s.Name)
		}
		seen[s.Name] = true
		if s.Name == "" || s.Group == "" || s.For == "" {
			t.Errorf("%+v has an empty name, group or use", s)
		}
		if (s.State == Missing) != (s.Cause != "") || s.State == Missing && (s.Cure == "" || s.Lost == "") {
			t.Errorf("%+v: a missing feature needs a cause, a cure and what is lost, another no cause", s)
		}
		if s.State == Degraded && (s.Lacks == "" || s.Cure == "") {
			t.Errorf("%+v: a degraded feature needs what it lacks and a cure", s)
		}
	}
	if r.Here.Kernel == "" || r.Here.Arch == "" {
		t.Errorf("surroundings %+v lack kernel or architecture", r.Here)
	}
}

// TestProbesLeaveNothing compares the process before and after all probes.
func TestProbesLeaveNothing(t *testing.T) {
	probeAll() // once, for what the Go runtime opens for itself
	before := self(t)
	probeAll()
	// Children are reaped, and their pipes closed, behind a probe's back: that
	// takes a moment, and some of it may have been missed in the first look.
	var after state
	for range 200 {
		after = self(t)
		if after.description == before.description && !after.children && subset(after.open, before.open) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("probing changed the process (-before +after):\n%s", cmp.Diff(before, after, cmp.AllowUnexported(state{})))
}

func probeAll() {
	for _, f := range All() {
		f.Probe()
	}
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// state is what a probe could change in its process.
type state struct {
	description string // namespaces, privileges, mounts
	open        []string
	children    bool
}

func self(t *testing.T) (now state) {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"mnt", "net", "pid", "pid_for_children", "user", "uts", "ipc", "cgroup"} {
		link, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(link + "\n")
	}
	for row := range strings.Lines(read(t, "/proc/self/status")) {
		name, _, _ := strings.Cut(row, ":")
		if strings.HasPrefix(name, "Cap") || strings.HasPrefix(name, "Seccomp") || slices.Contains([]string{"NoNewPrivs", "Uid", "Gid", "Groups"}, name) {
			b.WriteString(row)
		}
	}
	b.WriteString(read(t, "/proc/self/mountinfo"))
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range open {
		now.open = append(now.open, entry.Name())
	}
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		content, _ := os.ReadFile(list) // the thread may be gone by now
		now.children = now.children || len(content) > 0
	}
	now.description = b.String()
	return now
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestOrdinaryUser probes as a user without any privilege.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: to become another user; run as an ordinary one, the other tests cover this")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"PROBE_REPORT=1"}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if r.Here.User != 65534 {
		t.Errorf("reported as user %d", r.Here.User)
	}
	// What root's user namespaces can do, an ordinary user's can: the machine's
	// switches for unprivileged ones are named as the cure where they can't.
	for i, s := range r.Features {
		if root := All()[i]; s.State == Missing && root.Check() == nil && !strings.Contains(s.Cure, "namespaces") &&
			!strings.Contains(s.Cure, "sysctl") {
			t.Errorf("%s: missing for an ordinary user (%s), there for root, and the cure is %q", s.Name, s.Cause, s.Cure)
		}
	}
}

func TestCheckProbesOnceAndExplains(t *testing.T) {
	calls := 0
	f := &Feature{Name: "x", Since: "Linux 9.9", Probe: func() Finding {
		calls++
		return Finding{Err: syscall.EINVAL}
	}}
	err := f.Check()
	f.Check()
	f.Find()
	if calls != 1 {
		t.Errorf("%d probes; want 1", calls)
	}
	if !errors.Is(err, ErrMissing) || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("Check() = %v; want ErrMissing and EINVAL", err)
	}
	if got, want := err.Error(), "x: not available here: invalid argument (Linux 9.9 or newer)"; got != want {
		t.Errorf("Check() = %q; want %q", got, want)
	}
}

func TestReportFull(t *testing.T) {
	feature := func(full bool, err error) *Feature {
		return &Feature{Full: full, Probe: func() Finding { return found(err) }}
	}
	tests := []struct {
		features []*Feature
		want     bool
	}{
		{nil, true},
		{[]*Feature{feature(true, nil), feature(false, syscall.ENOSYS)}, true},
		{[]*Feature{feature(true, syscall.ENOSYS), feature(true, nil)}, false},
	}
	for i, tt := range tests {
		if got := NewReport(tt.features).Full; got != tt.want {
			t.Errorf("report %d: Full = %v; want %v", i, got, tt.want)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	for b.Loop() {
		probeAll()
	}
}
