package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// errnoFact is a line of errnos.txt: "NAME number text". An alias has the
// number of the name before it and no text.
type errnoFact struct {
	name   string
	number int
	text   string
}

var errnoLine = regexp.MustCompile(`(?m)^#define\s+(E[A-Z0-9]+)\s+(\w+)(?:\s*/\*\s*(.*?)\s*\*/)?`)

// errnoFacts reads the generic errnos, which all our architectures share. The
// words come from Go's package syscall, which has the C library's: users know
// those better than the header's comments ("not a typewriter"), which fill in.
func errnoFacts(tree sourceTree) ([]errnoFact, error) {
	var facts []errnoFact
	for _, file := range []string{"errno-base.h", "errno.h"} {
		for _, m := range errnoLine.FindAllStringSubmatch(tree["include/uapi/asm-generic/"+file], -1) {
			number, err := strconv.Atoi(m[2])
			if err != nil { // an alias
				i := slices.IndexFunc(facts, func(f errnoFact) bool { return f.name == m[2] })
				if i < 0 {
					return nil, fmt.Errorf("%s: %s is no errno", file, m[2])
				}
				facts = append(facts, errnoFact{name: m[1], number: facts[i].number})
				continue
			}
			facts = append(facts, errnoFact{m[1], number, errnoText(number, m[3])})
		}
	}
	slices.SortStableFunc(facts, func(a, b errnoFact) int { return a.number - b.number })
	return facts, nil
}

func errnoText(number int, comment string) string {
	if text := syscall.Errno(number).Error(); !strings.HasPrefix(text, "errno ") {
		return text
	}
	return strings.ToLower(comment)
}

func formatErrnos(facts []errnoFact) string {
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(strings.TrimSpace(fmt.Sprintf("%s %d %s", f.name, f.number, f.text)) + "\n")
	}
	return b.String()
}

func readErrnos(folder string) ([]errnoFact, error) {
	var facts []errnoFact
	err := eachLine(filepath.Join(folder, "errnos.txt"), func(line string) error {
		fields := strings.SplitN(line, " ", 3)
		if len(fields) < 2 {
			return fmt.Errorf("%q is not an errno", line)
		}
		number, err := strconv.Atoi(fields[1])
		if err != nil {
			return err
		}
		fact := errnoFact{name: fields[0], number: number}
		if len(fields) == 3 {
			fact.text = fields[2]
		}
		facts = append(facts, fact)
		return nil
	})
	return facts, err
}

func writeErrnos(errnos []errnoFact) string {
	var b, names bytes.Buffer
	b.WriteString("// The errnos (include/uapi/asm-generic/errno.h, which all architectures here share).\nconst (\n")
	for _, e := range errnos {
		fmt.Fprintf(&b, "\t%s Errno = %d", e.name, e.number)
		if e.text != "" {
			fmt.Fprintf(&b, " // %s", e.text)
			fmt.Fprintf(&names, "\t%s: {%q, %q},\n", e.name, e.name, e.text)
		}
		b.WriteString("\n")
	}
	b.WriteString(")\n\n// errnos is in order of number.\nvar errnos = [...]struct{ name, text string }{\n")
	b.Write(names.Bytes())
	b.WriteString("}\n\n// errnoAliases are second names.\nvar errnoAliases = [...]errnoAlias{\n")
	for _, e := range errnos {
		if e.text == "" {
			fmt.Fprintf(&b, "\t{%q, %s},\n", e.name, e.name)
		}
	}
	b.WriteString("}\n")
	return b.String()
}
