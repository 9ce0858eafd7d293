package policy

import "slices"

// Presets returns the names of the presets that come with callgate, sorted.
func Presets() []string {
	names := make([]string, len(presets))
	for i := range presets {
		names[i] = presets[i].Name
	}
	return names
}

// Preset returns a preset merged with what it extends, or false if there is
// none of the name.
func Preset(name string) (*Policy, bool) {
	if presetDocument(name) == nil {
		return nil, false
	}
	p, err := Load(nil, name)
	if err != nil {
		panic("policy: preset " + name + ": " + err.Error()) // the presets' own test loads each
	}
	return p, true
}

// presetDocument returns a preset as it is written, or nil.
func presetDocument(name string) *Policy {
	i, ok := slices.BinarySearchFunc(presets, name, func(p Policy, name string) int {
		switch {
		case p.Name < name:
			return -1
		case p.Name > name:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &presets[i]
}

// Group is a named set of calls, "@name" in rules.
type Group struct {
	Name  string
	Calls []Name
	At    Origin
}

// Groups returns the groups that come with callgate, sorted by name. The caller
// must not change them.
func Groups() []Group { return groups }

// group returns the group of a name without its '@'.
func group(name string) (*Group, bool) {
	if name == "" {
		return nil, false // most names of rules are calls
	}
	i := slices.IndexFunc(groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return nil, false
	}
	return &groups[i], true
}
