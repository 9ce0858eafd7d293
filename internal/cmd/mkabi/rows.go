package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// row is a call, or an architecture's variant of one, ready to be written.
type row struct {
	name   string
	since  string
	arches []string // of a variant; nil for the call itself
	params []parameter
	meaning
}

// readCalls reads calls.txt and lays calls_more.txt over it. The result is in
// order of name, each call before its variants; the numbers are the call's.
func readCalls(folder string) ([]callFact, error) {
	byName := make(map[string]*callFact)
	for _, file := range []string{"calls.txt", "calls_more.txt"} {
		err := eachLine(filepath.Join(folder, file), func(line string) error {
			more, err := parseCall(line)
			if err != nil {
				return err
			}
			have := byName[more.name]
			if have == nil {
				byName[more.name] = &more
				return nil
			}
			if more.since != "" {
				have.since = more.since
			}
			if more.params != nil {
				have.params = more.params
			}
			for arch, number := range more.numbers {
				if old, clash := have.numbers[arch]; clash && old != number {
					return fmt.Errorf("%s has number %d on %s", more.name, old, arch)
				}
				have.numbers[arch] = number
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	calls := make([]callFact, 0, len(byName))
	for _, call := range byName {
		calls = append(calls, *call)
	}
	slices.SortFunc(calls, func(a, b callFact) int {
		aName, aArches, _ := strings.Cut(a.name, "@")
		bName, bArches, _ := strings.Cut(b.name, "@")
		return cmp.Or(strings.Compare(aName, bName), strings.Compare(aArches, bArches))
	})
	return calls, nil
}

// joinRows gives every call its meaning. Each must have exactly one line in
// kinds.txt, with as many arguments as the prototype has parameters.
func joinRows(calls []callFact, meanings []meaning) ([]row, error) {
	var rows []row
	used := make(map[string]bool)
	for _, call := range calls {
		name, arches, variant := strings.Cut(call.name, "@")
		i := slices.IndexFunc(meanings, func(m meaning) bool {
			return m.name == name && strings.Join(m.arches, ",") == arches
		})
		if i < 0 {
			return nil, fmt.Errorf("%s has no line in kinds.txt", call.name)
		}
		m := meanings[i]
		used[call.name] = true
		r := row{name: name, since: call.since, params: call.params, meaning: m}
		if variant {
			r.arches, r.since = strings.Split(arches, ","), rows[len(rows)-1].since
		}
		switch {
		case m.reserved:
			r.since = ""
		case len(m.args) != len(call.params):
			return nil, fmt.Errorf("%s takes %s, but kinds.txt gives %d", call.name, formatParameters(call.params), len(m.args))
		case r.since == "":
			return nil, fmt.Errorf("%s has no version; add one to calls_more.txt", call.name)
		}
		rows = append(rows, r)
	}
	for _, m := range meanings {
		full := strings.TrimSuffix(m.name+"@"+strings.Join(m.arches, ","), "@")
		if !used[full] {
			return nil, fmt.Errorf("kinds.txt has %s, which is no call", full)
		}
	}
	return rows, nil
}
