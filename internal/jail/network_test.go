package jail

import (
	"io"
	"strings"
	"testing"
)

// The target has a network of its own, and sees no other by looking at init.
func TestOwnNetwork(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	spec := s.spec(t)
	output := streams(t, spec)
	spec.Args = []string{"sh", "-c", "sed 1,2d /proc/1/net/dev; echo; sed 1,2d /proc/net/dev"}
	if _, err := run(spec, nil); err != nil {
		t.Fatal(err)
	}
	spec.Stdout.Close()
	text, err := io.ReadAll(output)
	if err != nil {
		t.Fatal(err)
	}
	for _, whose := range strings.Split(string(text), "\n\n") {
		if lines := strings.Split(strings.TrimSpace(whose), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], "lo:") {
			t.Errorf("interfaces: %q; want lo alone", whose)
		}
	}
}
