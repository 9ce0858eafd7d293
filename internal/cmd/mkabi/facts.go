package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// callFact is what is known of a call before anyone says what its arguments
// mean: a line of calls.txt or calls_more.txt,
//
//	name since arch=number... (type name, ...)
//
// where "-" is an unknown version and (?) an unknown prototype.
type callFact struct {
	name    string
	since   string
	numbers map[string]uint32
	params  []parameter // nil if unknown
}

func formatCalls(calls []callFact) string {
	var b strings.Builder
	for _, call := range calls {
		since := call.since
		if since == "" {
			since = "-"
		}
		fmt.Fprintf(&b, "%s %s", call.name, since)
		for _, arch := range archNames {
			if number, has := call.numbers[arch]; has {
				fmt.Fprintf(&b, " %s=%d", arch, number)
			}
		}
		b.WriteString(" " + formatParameters(call.params) + "\n")
	}
	return b.String()
}

func formatParameters(params []parameter) string {
	if params == nil {
		return "(?)"
	}
	var list []string
	for _, p := range params {
		list = append(list, p.ctype+" "+p.name)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func parseCall(line string) (callFact, error) {
	head, params, ok := strings.Cut(strings.TrimSuffix(line, ")"), "(")
	fields := strings.Fields(head)
	if !ok || len(fields) < 2 {
		return callFact{}, fmt.Errorf("%q is not a call", line)
	}
	call := callFact{name: fields[0], since: strings.Trim(fields[1], "-"), numbers: make(map[string]uint32)}
	for _, field := range fields[2:] {
		arch, text, _ := strings.Cut(field, "=")
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil || !slices.Contains(archNames, arch) {
			return callFact{}, fmt.Errorf("%s: %q is not arch=number", call.name, field)
		}
		call.numbers[arch] = uint32(number)
	}
	if params == "?" {
		return call, nil
	}
	call.params = []parameter{}
	for param := range strings.SplitSeq(params, ",") {
		param = strings.TrimSpace(param)
		if cut := strings.LastIndexByte(param, ' '); cut > 0 {
			call.params = append(call.params, parameter{param[:cut], param[cut+1:]})
		}
	}
	return call, nil
}

// constantFact is a constant's value on some architectures: a line of
// constants.txt or constants_more.txt,
//
//	name value [arch...]
//
// where no architecture means all.
type constantFact struct {
	name   string
	value  uint64
	arches []string
}

func formatConstants(constants []constantFact) string {
	var b strings.Builder
	for _, c := range constants {
		b.WriteString(strings.Join(append([]string{c.name, fmt.Sprintf("%#x", c.value)}, c.arches...), " ") + "\n")
	}
	return b.String()
}

func parseConstant(line string) (constantFact, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return constantFact{}, fmt.Errorf("%q is not a constant", line)
	}
	value, err := strconv.ParseUint(fields[1], 0, 64)
	if err != nil {
		return constantFact{}, fmt.Errorf("%s: %w", fields[0], err)
	}
	for _, arch := range fields[2:] {
		if !slices.Contains(archNames, arch) {
			return constantFact{}, fmt.Errorf("%s: unknown architecture %q", fields[0], arch)
		}
	}
	return constantFact{fields[0], value, fields[2:]}, nil
}

// eachLine calls f with the lines of a table that are neither empty nor
// comments (which start with #), and says where f failed.
func eachLine(path string, f func(line string) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
	return nil
}
