package abi

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// FlagSet is a named set of constants that an argument takes: single bits, one
// choice among values, or both (open's access mode and its flags).
type FlagSet struct {
	name   string
	groups []flagGroup
}

// flagGroup is a part of a set: a choice among values within mask, or single
// bits if mask is 0. Members are rows of constants.
type flagGroup struct {
	mask    uint64
	members []uint16
}

// NamedFlagSet finds a set by name. Besides those that rows use, there are
// sets for values that stand in memory: "resolve", "sigaction",
// "socket_option", "ip_protocol", "landlock_access_fs" and others.
func NamedFlagSet(name string) (*FlagSet, bool) {
	i, found := slices.BinarySearchFunc(flagSets[:], name, func(s *FlagSet, name string) int {
		return strings.Compare(s.name, name)
	})
	if !found {
		return nil, false
	}
	return flagSets[i], true
}

// FlagSets yields all sets in order of name.
func FlagSets() iter.Seq[*FlagSet] { return slices.Values(flagSets[:]) }

// Name is the set's name ("open").
func (s *FlagSet) Name() string { return s.name }

// Choice tells whether the set is one choice among values, so that nothing in
// it can be combined.
func (s *FlagSet) Choice() bool { return len(s.groups) == 1 && s.groups[0].mask == ^uint64(0) }

// Values yields the names that the set has on the architecture and their
// values. Names that share a value follow the one that Format uses.
func (s *FlagSet) Values(arch Arch) iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for _, group := range s.groups {
			for _, member := range group.members {
				name := constants[member].name
				if value, has := constantAt(int(member), name, arch); has && !yield(name, value) {
					return
				}
			}
		}
	}
}

// Format writes a value with the architecture's names, what has no name in
// hexadecimal at the end: "O_RDWR|O_CLOEXEC|0x8000000". Parse reads it back.
// The value must have been through [Arg.Narrow].
func (s *FlagSet) Format(arch Arch, value uint64) string {
	var parts []string
	rest := value
	for _, group := range s.groups {
		if group.mask != 0 {
			if name, found := group.choice(arch, value); found {
				parts = append(parts, name)
				rest &^= group.mask
			}
			continue
		}
		for _, member := range group.members {
			name := constants[member].name
			flag, has := constantAt(int(member), name, arch)
			if has && (flag != 0 && rest&flag == flag || flag == 0 && value == 0) {
				parts = append(parts, name)
				rest &^= flag
			}
		}
	}
	if rest != 0 || len(parts) == 0 {
		parts = append(parts, hex(rest))
	}
	return strings.Join(parts, "|")
}

// choice is the first name of the value's part within the group's mask.
func (g *flagGroup) choice(arch Arch, value uint64) (string, bool) {
	for _, member := range g.members {
		name := constants[member].name
		if have, has := constantAt(int(member), name, arch); has && have == value&g.mask {
			return name, true
		}
	}
	return "", false
}

// Parse reads names of the set and numbers, joined by "|" ("O_RDWR|O_CLOEXEC",
// "0x80000"). An unknown name is an error that says which names are near.
func (s *FlagSet) Parse(arch Arch, text string) (uint64, error) {
	var value uint64
	parts := strings.Split(text, "|")
	if s.Choice() && len(parts) > 1 {
		return 0, fmt.Errorf("%s %q: values of a choice cannot be combined", s.name, text)
	}
	for _, part := range parts {
		flag, err := s.parse(arch, strings.TrimSpace(part))
		if err != nil {
			return 0, err
		}
		value |= flag
	}
	return value, nil
}

func (s *FlagSet) parse(arch Arch, part string) (uint64, error) {
	if number, err := strconv.ParseUint(part, 0, 64); err == nil {
		return number, nil
	}
	if number, err := strconv.ParseInt(part, 0, 64); err == nil {
		return uint64(number), nil
	}
	for name, value := range s.Values(arch) {
		if name == part {
			return value, nil
		}
	}
	names := func(yield func(string) bool) {
		for name := range s.Values(arch) {
			if !yield(name) {
				return
			}
		}
	}
	return 0, fmt.Errorf("%s: unknown name %q%s", s.name, part, suggestion(nearest(part, 3, names)))
}

func hex(value uint64) string {
	if value == 0 {
		return "0"
	}
	return "0x" + strconv.FormatUint(value, 16)
}
