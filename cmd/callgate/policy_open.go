package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/callgate/callgate/policy/oci"
)

// maxFile bounds what is read of a policy or a profile, in bytes.
const maxFile = 1 << 20

// openPolicies merges the named presets, files and profiles.
func openPolicies(names ...string) (*policy.Policy, error) {
	return policy.Load(openDocument, policyNames(names)...)
}

// openPoliciesFor is openPolicies with every path as it is on the target.
func openPoliciesFor(t policy.Target, names ...string) (*policy.Policy, error) {
	return policy.LoadFor(t, openDocument, policyNames(names)...)
}

func policyNames(names []string) []string {
	names = slices.Clone(names)
	for i, name := range names {
		names[i] = policyName(name)
	}
	return names
}

// policyName tells a file from a preset for policy.Load: a name without a path
// is a file's if it ends as one, or if there is such a file and no such preset.
func policyName(name string) string {
	if policy.IsFile(name) {
		return name
	}
	if slices.Contains(policy.Presets(), name) {
		return name
	}
	if _, err := os.Stat(name); err == nil || strings.HasSuffix(name, ".json") {
		return "./" + name
	}
	return name
}

// openDocument reads one file, and checks it.
func openDocument(name string) (*policy.Policy, error) {
	text, err := readPolicyFile(name)
	if err != nil {
		return nil, err
	}
	name = strings.TrimPrefix(name, "./")
	var p *policy.Policy
	if strings.HasSuffix(name, ".json") {
		p, err = importProfile(name, text)
	} else {
		p, err = document.Parse(name, text)
	}
	if err != nil {
		return nil, err
	}
	return p, p.Check()
}

func importProfile(name string, text []byte) (*policy.Policy, error) {
	profile, err := oci.Parse(name, text)
	if err != nil {
		return nil, err
	}
	p, err := profile.Policy()
	if err != nil {
		return nil, err
	}
	p.Name = strings.TrimSuffix(filepath.Base(name), ".json")
	return p, nil
}

// readPolicyFile is os.ReadFile for files of a policy's size.
func readPolicyFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("read %q: %w: %s", name, err, readCure(name, err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return nil, fmt.Errorf("read %q: %w: %s", name, path.Err, readCure(name, path.Err))
	case err != nil:
		return nil, fmt.Errorf("read %q: %w", name, err)
	case len(text) > maxFile:
		return nil, fmt.Errorf("read %q: more than %d bytes are no policy", name, maxFile)
	}
	return text, nil
}

// readCure says what helps against a file that can't be read.
func readCure(name string, err error) string {
	preset := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	_, is := policy.Preset(preset)
	switch {
	case is && errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the preset is called %q", preset)
	case errors.Is(err, fs.ErrPermission):
		return "let this user read it"
	case errors.Is(err, syscall.EISDIR):
		return "name a file in it"
	}
	return "check the name"
}
