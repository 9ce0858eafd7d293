package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/callgate/callgate/policy"
	"github.com/google/go-cmp/cmp"
)

const policyDir = "../../../policy"

func TestGeneratedFileIsFresh(t *testing.T) {
	presets, groups, err := read(policyDir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(presets, groups)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(policyDir, "zpresets.go"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("zpresets.go is not what the YAML files say; run: go generate ./policy")
	}
}

// TestLiteralsMeanTheirValues guards the generator itself: what was compiled
// in is what the YAML files mean.
func TestLiteralsMeanTheirValues(t *testing.T) {
	presets, groups, err := read(policyDir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(groups, policy.Groups()); diff != "" {
		t.Errorf("Groups() (-want +got):\n%s", diff)
	}
	for _, p := range presets {
		got, ok := policy.Preset(p.Name)
		if !ok {
			t.Errorf("Preset(%q) is missing", p.Name)
			continue
		}
		if len(p.Extends) > 0 {
			parent, _ := policy.Preset(p.Extends[0].Text)
			p = *policy.Merge(parent, &p)
		}
		want := policy.Merge(new(policy.Policy), &p)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Preset(%q) (-want +got):\n%s", p.Name, diff)
		}
	}
}
