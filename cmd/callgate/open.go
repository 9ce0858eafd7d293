package main

import (
	"os"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// loadPolicy merges the named presets and files.
func loadPolicy(names []string) (*policy.Policy, error) {
	return document.Load(os.ReadFile, names...)
}
