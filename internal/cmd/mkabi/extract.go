package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extract reads the Debian packages and writes the tables of facts, or says
// whether those that are there still hold.
func extract(folder string, check bool) error {
	tree, source, err := readKernel()
	if err != nil {
		return err
	}
	since, err := readCallsPage()
	if err != nil {
		return err
	}
	header := "# Facts extracted by mkabi; run `go run ./internal/cmd/mkabi extract`. What they lack stands in *_more.txt.\n"
	for _, name := range []string{source, "manpages-dev"} {
		version, err := packageVersion(name)
		if err != nil {
			return err
		}
		header += "# input: " + version + "\n"
	}
	calls, err := callFacts(tree, since)
	if err != nil {
		return err
	}
	constants, err := constantFacts(tree)
	if err != nil {
		return err
	}
	errnos, err := errnoFacts(tree)
	if err != nil {
		return err
	}
	return errors.Join(
		put(filepath.Join(folder, "calls.txt"), header+formatCalls(calls), check),
		put(filepath.Join(folder, "errnos.txt"), header+formatErrnos(errnos), check),
		put(filepath.Join(folder, "constants.txt"), header+formatConstants(constants), check),
	)
}

// put writes a file, or compares it with what is there. The lines that name
// the packages' versions may differ.
func put(path, text string, check bool) error {
	if !check {
		return os.WriteFile(path, []byte(text), 0o644)
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(withoutInputs(have), withoutInputs([]byte(text))) {
		return fmt.Errorf("%s differs from what the installed packages say; run mkabi extract and look at the difference", path)
	}
	return nil
}

func withoutInputs(text []byte) []byte {
	var kept bytes.Buffer
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("# input: ")) {
			kept.Write(line)
		}
	}
	return kept.Bytes()
}

// callFacts joins the tables, the prototypes and the versions.
func callFacts(tree sourceTree, since map[string]string) ([]callFact, error) {
	tables, err := readTables(tree)
	if err != nil {
		return nil, err
	}
	prototypes := readPrototypes(tree)
	byName := make(map[string]*callFact)
	for _, arch := range archNames {
		for name, entry := range tables[arch] {
			fact := byName[name]
			if fact == nil {
				fact = &callFact{name: name, since: since[name], numbers: make(map[string]uint32)}
				byName[name] = fact
			}
			fact.numbers[arch] = entry.number
			if fact.params == nil {
				fact.params = findPrototype(prototypes, archFolder[arch], entry.handler)
			}
		}
	}
	facts := make([]callFact, 0, len(byName))
	for _, fact := range byName {
		facts = append(facts, *fact)
	}
	slices.SortFunc(facts, func(a, b callFact) int { return strings.Compare(a.name, b.name) })
	return facts, nil
}

// findPrototype looks in the architecture's own files first.
func findPrototype(prototypes map[string]map[string][]parameter, folder, handler string) []parameter {
	for _, suffix := range []string{"", "_time32", "32"} { // a 32-bit handler's twin
		name := strings.TrimSuffix(handler, suffix)
		if params := prototypes[folder][name]; params != nil {
			return params
		}
		if params := prototypes[""][name]; params != nil {
			return params
		}
	}
	return nil
}
