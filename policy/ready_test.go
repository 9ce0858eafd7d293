package policy

import (
	"slices"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

func TestReadyProgramsAreWhatPresetsCompileTo(t *testing.T) {
	for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
		for _, name := range Presets() {
			preset, _ := Preset(name)
			got, ok := ReadyProgram(name, arch)
			if want := name != "oci"; ok != want { // oci asks for the kernel's version
				t.Errorf("ReadyProgram(%q, %v) = %v; want %v", name, arch, ok, want)
			}
			for _, kernel := range []Version{{}, {Major: 4}, {Major: 6, Minor: 18}} {
				if ok && !slices.Equal(got, programFor(t, preset, Target{Arch: arch, Kernel: kernel})) {
					t.Errorf("ReadyProgram(%q, %v) is stale for kernel %v: run go generate ./policy", name, arch, kernel)
				}
			}
		}
	}
	if _, ok := ReadyProgram("no such preset", abi.AMD64); ok {
		t.Error("ReadyProgram of no preset = true; want false")
	}
}

// A document that is silent on calls must leave the filter alone, and every
// part that a filter depends on must not count as silence.
func TestSilentOnCalls(t *testing.T) {
	at := Given("--test", 0).At
	target := Target{Arch: abi.AMD64}
	name := []Name{{Text: "CAP_SYS_ADMIN", At: at}}
	path := []Path{{Text: "/srv", At: at}}
	for _, c := range []struct {
		about  string
		policy Policy
		silent bool
	}{
		{"nothing", Policy{}, true},
		{"files", Policy{Files: Files{ReadWrite: path, Exec: path, Hidden: path}}, true},
		{"limits", Policy{Limits: Limits{Pids: Given("--test", 9)}}, true},
		{"environment", Policy{Environment: Environment{Keep: []Name{{Text: "A", At: at}}}}, true},
		{"descriptors", Policy{Descriptors: Given("--test", []Descriptor{{Number: 5, At: at}})}, true},
		{"walls", Policy{Walls: Walls{Optional: []Name{{Text: "cgroup", At: at}}}}, true},
		{"capabilities", Policy{Capabilities: name}, false},
		{"network mode", Policy{Network: Network{Mode: Given("--test", HostNetwork)}}, false},
		{"families", Policy{Network: Network{Families: Given("--test", []Name{})}}, false},
		{"ports", Policy{Network: Network{Connect: Given("--test", []Destination{})}}, false},
		{"bind", Policy{Network: Network{Bind: Given("--test", []Port{})}}, false},
		{"baseline", Policy{Baseline: Version{Major: 5, Minor: 4}}, false},
		{"otherwise", Policy{Syscalls: Syscalls{Otherwise: Given("--test", Do(filter.ActionLog))}}, false},
		{"foreign", Policy{Syscalls: Syscalls{Foreign: Given("--test", Do(filter.ActionLog))}}, false},
		{"architectures", Policy{Syscalls: Syscalls{Architectures: name}}, false},
		{"rules", Policy{Syscalls: Syscalls{Rules: []Rule{{Then: Do(filter.ActionAllow), At: at}}}}, false},
	} {
		if got := c.policy.SilentOnCalls(); got != c.silent {
			t.Errorf("%s: SilentOnCalls() = %v; want %v", c.about, got, c.silent)
		}
		if !c.silent {
			continue
		}
		for _, preset := range Presets() {
			base, _ := Preset(preset)
			if !slices.Equal(programFor(t, Merge(base, &c.policy), target), programFor(t, base, target)) {
				t.Errorf("%s over %s changes the filter, and is said to be silent on calls", c.about, preset)
			}
		}
	}
}

func programFor(t *testing.T, p *Policy, target Target) filter.Program {
	t.Helper()
	c, err := p.Filter(target)
	if err != nil {
		t.Fatal(err)
	}
	program, err := c.Filter.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return program
}
