package guardtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/callgate/callgate/policy"
)

// Programs is the folder of the tests' program, which the attackers are.
func Programs(t testing.TB) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(program)
}

// Paths are texts as a policy's paths.
func Paths(t testing.TB, texts ...string) []policy.Path {
	t.Helper()
	paths := []policy.Path{}
	for _, text := range texts {
		path, err := policy.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		path.At = policy.Origin{File: "test"}
		paths = append(paths, path)
	}
	return paths
}

// Default is the preset default.
func Default(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := policy.Load(nil, "default")
	if err != nil {
		t.Fatal(err)
	}
	return p
}
