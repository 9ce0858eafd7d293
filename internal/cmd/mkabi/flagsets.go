package main

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// flagGroup is a part of a flag set: a choice within mask, or single bits if
// mask is 0.
type flagGroup struct {
	mask    uint64
	members []string
}

type flagSet struct {
	name   string
	groups []flagGroup
}

// choice tells whether the set is one choice among values.
func (s flagSet) choice() bool { return len(s.groups) == 1 && s.groups[0].mask == ^uint64(0) }

// negative tells whether the set has a name for a value below 0.
func (s flagSet) negative(constants constantTable) bool {
	for _, group := range s.groups {
		for _, name := range group.members {
			if int64(constants[constants.index(name)].value) < 0 {
				return true
			}
		}
	}
	return false
}

// constantTable holds all constants in order of name; one name may have
// several rows, each for its own architectures.
type constantTable []constantFact

func readConstants(folder string) (constantTable, error) {
	var table constantTable
	for _, file := range []string{"constants.txt", "constants_more.txt"} {
		extracted := slices.Clone(table)
		err := eachLine(filepath.Join(folder, file), func(line string) error {
			c, err := parseConstant(line)
			if err == nil && extracted.index(c.name) >= 0 {
				err = fmt.Errorf("%s: already in constants.txt", c.name)
			}
			table = append(table, c)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(table, func(a, b constantFact) int { return strings.Compare(a.name, b.name) })
	return table, nil
}

// index is the first row of a name, or -1.
func (t constantTable) index(name string) int {
	i, found := slices.BinarySearchFunc(t, name, func(c constantFact, name string) int { return strings.Compare(c.name, name) })
	if !found {
		return -1
	}
	return i
}

// match lists the names that fit a pattern with one or more "*".
func (t constantTable) match(pattern string) []string {
	var names []string
	for _, c := range t {
		if ok, _ := filepath.Match(pattern, c.name); ok && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// readFlagSets reads flagsets.txt, which eachLine's trimming would flatten.
func readFlagSets(folder string, constants constantTable) ([]flagSet, error) {
	path := filepath.Join(folder, "flagsets.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var sets []flagSet
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] != '\t':
			sets = append(sets, flagSet{name: line})
		default:
			if len(sets) == 0 {
				return nil, fmt.Errorf("%s: a group comes before any set", path)
			}
			last := &sets[len(sets)-1]
			group, err := parseGroup(line, constants)
			if err != nil {
				return nil, fmt.Errorf("%s: set %s: %w", path, last.name, err)
			}
			last.groups = append(last.groups, group)
		}
	}
	slices.SortFunc(sets, func(a, b flagSet) int { return strings.Compare(a.name, b.name) })
	return sets, nil
}

func parseGroup(line string, constants constantTable) (flagGroup, error) {
	words := strings.Fields(line)
	var group flagGroup
	var patterns []string
	switch {
	case len(words) > 0 && words[0] == "bits":
		patterns = words[1:]
	case len(words) > 1 && words[0] == "one" && words[1] == "of":
		group.mask, patterns = ^uint64(0), words[2:]
	case len(words) > 1 && words[0] == "mask":
		mask, err := strconv.ParseUint(words[1], 0, 64)
		if err != nil {
			return group, err
		}
		group.mask, patterns = mask, words[2:]
	default:
		return group, fmt.Errorf("unknown group %q", line)
	}
	members, err := expand(patterns, constants)
	if err == nil && len(members) == 0 {
		err = fmt.Errorf("group of nothing")
	}
	if err != nil {
		return group, err
	}
	group.members = members
	if group.mask == 0 {
		// Constants of several bits come before their parts, so that the
		// first that fits is the fullest.
		weight := func(name string) int { return bits.OnesCount64(constants[constants.index(name)].value) }
		slices.SortStableFunc(group.members, func(a, b string) int {
			if weight(a) > 1 || weight(b) > 1 {
				return weight(b) - weight(a)
			}
			return 0
		})
	}
	return group, nil
}

func expand(patterns []string, constants constantTable) ([]string, error) {
	var members, left []string
	for _, pattern := range patterns {
		if out, found := strings.CutPrefix(pattern, "-"); found {
			left = append(left, constants.match(out)...)
			continue
		}
		found := constants.match(pattern)
		if len(found) == 0 {
			return nil, fmt.Errorf("no constant %s", pattern)
		}
		if len(found) > 1 { // by value, as the headers list them
			slices.SortStableFunc(found, func(a, b string) int {
				x, y := constants[constants.index(a)].value, constants[constants.index(b)].value
				switch {
				case x < y:
					return -1
				case x > y:
					return 1
				}
				return 0
			})
		}
		for _, name := range found {
			if !slices.Contains(members, name) {
				members = append(members, name)
			}
		}
	}
	return slices.DeleteFunc(members, func(name string) bool { return slices.Contains(left, name) }), nil
}
