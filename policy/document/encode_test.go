package document_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
)

// sameButPlace compares policies by what they say: of an origin it matters only
// whether there is one.
var sameButPlace = cmp.Comparer(func(a, b policy.Origin) bool { return (a == policy.Origin{}) == (b == policy.Origin{}) })

func TestPresetsComeBackFromTheirText(t *testing.T) {
	for _, name := range policy.Presets() {
		p, _ := policy.Preset(name)
		comesBack(t, p)
	}
}

// comesBack marshals a policy and reads it again.
func comesBack(t *testing.T, p *policy.Policy) {
	t.Helper()
	text, err := document.Marshal(p)
	if err != nil {
		t.Fatalf("Marshal = %v", err)
	}
	again, err := document.Parse("effective.yaml", text)
	if err != nil {
		t.Fatalf("Parse of what Marshal wrote = %v; the text is\n%s", err, text)
	}
	if diff := cmp.Diff(p, again, sameButPlace, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
		t.Fatalf("Parse(Marshal(p)) (-p +got):\n%s\nthe text is\n%s", diff, text)
	}
}

// FuzzParse holds that any text either is refused or means the same after it
// was written down again, and that what Check accepts becomes a filter.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../presets/*.yaml", "testdata/good/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds in %s (%v)", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := document.Parse("fuzz.yaml", text)
		if err != nil {
			return
		}
		comesBack(t, p)
		p = policy.Merge(new(policy.Policy), p)
		comesBack(t, p)
		if p.Check() != nil {
			return
		}
		for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64, abi.RISCV64} {
			compiled, err := p.Filter(policy.Target{Arch: arch})
			if err != nil {
				t.Fatalf("Filter(%s) after Check = %v", arch, err)
			}
			if err := compiled.Filter.Check(); err != nil {
				t.Fatalf("the filter of %s after Check: %v", arch, err)
			}
			p.Mounts(policy.Target{Arch: arch})
		}
	})
}
