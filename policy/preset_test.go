package policy

import (
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/google/go-cmp/cmp"
)

var bothArches = []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64}

func TestPresetsHaveNoProblems(t *testing.T) {
	for i := range presets {
		if err := presets[i].Check(); err != nil {
			t.Errorf("Check of preset %s = %v; want none", presets[i].Name, err)
		}
	}
}

func TestPresetsPassTheirTests(t *testing.T) {
	for _, name := range Presets() {
		for _, arch := range bothArches {
			p, _ := Preset(name)
			results, err := p.RunTests(Target{Arch: arch})
			if err != nil {
				t.Errorf("preset %s on %s: %v", name, arch, err)
			}
			for _, r := range results {
				if !r.Passed() {
					t.Errorf("%s: %s", arch, r.String())
				}
			}
		}
	}
}

func TestPresetsHaveNoFindings(t *testing.T) {
	for _, name := range Presets() {
		p, _ := Preset(name)
		found, err := p.Lint(Target{Arch: abi.AMD64})
		if err != nil {
			t.Errorf("Lint of preset %s = %v", name, err)
		}
		var got []string
		for _, f := range found {
			what, _, _ := strings.Cut(f.What, ":")
			got = append(got, what)
		}
		var want []string
		if name == "oci" { // it allows what containers are used to, for better or worse
			want = []string{
				"ptrace is allowed", "process_vm_writev is allowed", "ioctl with TIOCSTI is allowed",
				"socketcall is allowed, and is a way round the conditions on the call it replaces",
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Lint of preset %s (-want +got):\n%s", name, diff)
		}
	}
}

// The list of secrets is long, and must not be mended in one place only.
func TestPresetOCIHasTheFilesOfDefault(t *testing.T) {
	files := func(name string) (list []string) {
		p, _ := Preset(name)
		for _, m := range p.Mounts(Target{}) {
			list = append(list, m.String())
		}
		return list
	}
	if diff := cmp.Diff(files("default"), files("oci")); diff != "" {
		t.Errorf("files of default and oci (-default +oci):\n%s", diff)
	}
}

func TestGroupsHaveOnlyKnownCalls(t *testing.T) {
	for _, g := range Groups() {
		for _, c := range g.Calls {
			if !isCall(c.Text) {
				t.Errorf("%s: group %s has %q, which no table knows", c.At, g.Name, c.Text)
			}
		}
	}
}
