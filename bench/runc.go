package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// runcBundle makes the smallest bundle that runc runs: its own default spec, a
// root with busybox alone, and no terminal.
func (b *bench) runcBundle() (string, error) {
	bundle := filepath.Join(b.dir, "bundle")
	bin := filepath.Join(bundle, "rootfs", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"true", "sh"} {
		if err := os.WriteFile(filepath.Join(bin, name), program, 0o755); err != nil {
			return "", err
		}
	}
	spec := exec.Command("runc", "spec")
	spec.Dir = bundle
	if out, err := spec.CombinedOutput(); err != nil {
		return "", fmt.Errorf("runc spec: %w\n%s", err, out)
	}
	return bundle, editSpec(filepath.Join(bundle, "config.json"))
}

// editSpec has the container run /bin/true without a terminal.
func editSpec(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	process, ok := spec["process"].(map[string]any)
	if !ok {
		return fmt.Errorf("%s: no process", path)
	}
	process["terminal"] = false
	process["args"] = []string{"/bin/true"}
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
