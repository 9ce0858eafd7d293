package oci

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// debian is the profile of Debian's golang-github-containers-common.
const debian = "/usr/share/containers/seccomp.json"

// profiles returns the profiles that the tests are about, by name: our own
// small ones, Moby's default and Debian's.
func profiles(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles in testdata/profiles (%v)", err)
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/moby/profiles/seccomp").Output()
	if err != nil {
		t.Fatalf("find Moby's profile: %v", err)
	}
	files = append(files, filepath.Join(strings.TrimSpace(string(dir)), "default.json"), debian)
	all := make(map[string][]byte)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if file == debian && errors.Is(err, fs.ErrNotExist) {
			t.Logf("no %s: install golang-github-containers-common to try Podman's profile too", debian)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = text
	}
	return all
}

func mustImport(t testing.TB, file string, text []byte) (*Profile, *policy.Policy) {
	t.Helper()
	profile, err := Parse(file, text)
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	p, err := profile.Policy()
	if err != nil {
		t.Fatalf("Policy = %v", err)
	}
	if err := p.Check(); err != nil {
		t.Fatalf("Check of the policy = %v", err)
	}
	return profile, p
}

func TestImportDecidesAsTheProfile(t *testing.T) {
	for file, text := range profiles(t) {
		t.Run(file, func(t *testing.T) {
			profile, p := mustImport(t, file, text)
			for _, c := range containers() {
				compare(t, p, profile, c)
			}
		})
	}
}

func TestImportSurvivesYAML(t *testing.T) {
	for file, text := range profiles(t) {
		t.Run(file, func(t *testing.T) {
			profile, p := mustImport(t, file, text)
			yaml, err := document.Marshal(p)
			if err != nil {
				t.Fatalf("Marshal = %v", err)
			}
			back, err := document.Parse("back.yaml", yaml)
			if err != nil {
				t.Fatalf("Parse of what Marshal wrote = %v\n%s", err, yaml)
			}
			if err := back.Check(); err != nil {
				t.Errorf("Check of what Marshal wrote = %v\n%s", err, yaml)
			}
			compare(t, back, profile, containers()[0])
		})
	}
}
