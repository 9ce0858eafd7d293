package main

import (
	"regexp"
	"slices"
	"strings"
)

// parameter is one parameter of a call as the kernel declares it.
type parameter struct{ ctype, name string }

// The head of a call's definition and its parameters, which stand as "type,
// name" pairs.
var definition = regexp.MustCompile(`(?m)^(?:ARCH_)?SYSCALL_DEFINE[0-6]\(\s*(\w+)([^)]*)\)`)

// readPrototypes collects the definitions of calls across the tree, by folder
// of the architecture they belong to ("" for all) and handler name. Where the
// kernel's configuration chooses among several in one file, the last counts:
// it is the #else, which holds for amd64.
func readPrototypes(tree sourceTree) map[string]map[string][]parameter {
	prototypes := make(map[string]map[string][]parameter)
	var paths []string
	for path := range tree {
		if strings.HasSuffix(path, ".c") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		folder := ""
		if parts := strings.Split(path, "/"); parts[0] == "arch" {
			folder = "arch/" + parts[1]
		}
		for _, match := range definition.FindAllStringSubmatch(tree[path], -1) {
			if prototypes[folder] == nil {
				prototypes[folder] = make(map[string][]parameter)
			}
			prototypes[folder][match[1]] = parseParameters(match[2])
		}
	}
	return prototypes
}

func parseParameters(list string) []parameter {
	list = blockComment.ReplaceAllString(list, " ")
	words := strings.Split(strings.TrimPrefix(strings.TrimSpace(list), ","), ",")
	params := []parameter{}
	for i := 0; i+1 < len(words); i += 2 {
		params = append(params, parameter{cleanType(words[i]), strings.TrimSpace(words[i+1])})
	}
	return params
}

// cleanType drops the annotations that mean nothing outside the kernel and
// spaces a type one way.
func cleanType(ctype string) string {
	ctype = strings.ReplaceAll(ctype, "__user", " ")
	ctype = strings.ReplaceAll(ctype, "*", " * ")
	return strings.ReplaceAll(strings.Join(strings.Fields(ctype), " "), "* *", "**")
}
