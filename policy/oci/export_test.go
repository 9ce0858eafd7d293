package oci

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
)

func mustExport(t testing.TB, p *policy.Policy) *Profile {
	t.Helper()
	out, _, err := Export(p)
	if err != nil {
		t.Fatalf("Export = %v", err)
	}
	return out
}

// normal returns a profile without what means nothing: which of two words for
// an action, an errno that is the default, an empty list, whether alternatives
// stand in one entry or in several, where it was read.
func normal(p *Profile) *Profile {
	out := *p
	out.At = policy.Origin{}
	one := uint64(1)
	errno := func(action *string, n **uint64) {
		if *action == "SCMP_ACT_KILL_THREAD" {
			*action = "SCMP_ACT_KILL"
		}
		if *n == nil && (*action == "SCMP_ACT_ERRNO" || *action == "SCMP_ACT_TRACE") {
			*n = &one
		}
	}
	errno(&out.DefaultAction, &out.DefaultErrnoRet)
	out.Syscalls = nil
	for _, s := range p.Syscalls {
		errno(&s.Action, &s.ErrnoRet)
		s.Includes, s.Excludes, s.At = withoutPlace(s.Includes), withoutPlace(s.Excludes), policy.Origin{}
		if s.Name != "" {
			s.Names, s.Name = []string{s.Name}, ""
		}
		s.Args = slices.Clone(s.Args)
		for i := range s.Args {
			s.Args[i].At = policy.Origin{}
		}
		if !repeats(s.Args) || isSet(s.Args) {
			out.Syscalls = append(out.Syscalls, s)
			continue
		}
		for _, a := range s.Args {
			s.Args = []Arg{a}
			out.Syscalls = append(out.Syscalls, s)
		}
	}
	return &out
}

func withoutPlace(f *Filter) *Filter {
	if f.isEmpty() {
		return nil
	}
	g := *f
	g.At = policy.Origin{}
	return &g
}

// throughYAML writes a policy and reads it back, as a user of import does.
func throughYAML(t testing.TB, p *policy.Policy) *policy.Policy {
	t.Helper()
	yaml, err := document.Marshal(p)
	if err != nil {
		t.Fatalf("Marshal = %v", err)
	}
	back, err := document.Parse("back.yaml", yaml)
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	return back
}

func TestExportGivesTheImportedProfileBack(t *testing.T) {
	for file, text := range profiles(t) {
		if file == "disordered.json" {
			continue // its entries are put in order, and its dead ones left out
		}
		t.Run(file, func(t *testing.T) {
			profile, p := mustImport(t, file, text)
			out := mustExport(t, throughYAML(t, p))
			if diff := cmp.Diff(normal(profile), normal(out)); diff != "" {
				t.Errorf("Export of the imported profile (-want +got):\n%s", diff)
			}
			if _, lost, _ := Export(p); len(lost) > 0 {
				t.Errorf("Export lost %v; want nothing", lost)
			}
		})
	}
}

func TestExportOfMobysProfileHasTheSameBytes(t *testing.T) {
	text := profiles(t)["default.json"]
	_, p := mustImport(t, "default.json", text)
	out, err := mustExport(t, throughYAML(t, p)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(text)), string(bytes.TrimSpace(out))); diff != "" {
		t.Errorf("Export of Moby's profile (-want +got):\n%s", diff)
	}
}

func TestExportOfAnExportHasTheSameBytes(t *testing.T) {
	for file, text := range profiles(t) {
		_, p := mustImport(t, file, text)
		first, err := mustExport(t, p).JSON()
		if err != nil {
			t.Fatal(err)
		}
		_, p = mustImport(t, file, first)
		second, err := mustExport(t, p).JSON()
		if diff := cmp.Diff(string(first), string(second)); err != nil || diff != "" {
			t.Errorf("%s: Export again = %v (-first +second):\n%s", file, err, diff)
		}
	}
}

func TestExportDecidesAsThePolicy(t *testing.T) {
	policies := make(map[string]*policy.Policy)
	for _, name := range policy.Presets() {
		policies[name], _ = policy.Preset(name)
	}
	for file, text := range profiles(t) {
		_, policies[file] = mustImport(t, file, text)
	}
	for _, file := range []string{"testdata/order.yaml", "../../examples/mail/mail.yaml"} {
		p, err := document.Load(os.ReadFile, file)
		if err != nil {
			t.Fatal(err)
		}
		policies[file] = p
	}
	for name, p := range policies {
		t.Run(name, func(t *testing.T) {
			profile := mustExport(t, p)
			for _, c := range containers() {
				compare(t, p, profile, c)
			}
			text, err := profile.JSON()
			if err != nil {
				t.Fatal(err)
			}
			back, err := Parse(name, text)
			if diff := cmp.Diff(normal(profile), normal(back)); err != nil || diff != "" {
				t.Errorf("Parse of what JSON wrote = %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
