package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// entry is a call's place in one architecture's table.
type entry struct {
	number  uint32
	handler string // the kernel's function without "sys_", or ""
}

// readTables returns each architecture's calls by name.
func readTables(tree sourceTree) (map[string]map[string]entry, error) {
	tables := make(map[string]map[string]entry)
	for _, table := range []struct{ arch, file, abis string }{
		{"amd64", "arch/x86/entry/syscalls/syscall_64.tbl", "common 64"},
		{"x32", "arch/x86/entry/syscalls/syscall_64.tbl", "common x32"},
		{"i386", "arch/x86/entry/syscalls/syscall_32.tbl", "i386"},
		{"arm", "arch/arm/tools/syscall.tbl", "common eabi"},
	} {
		calls, err := readTable(tree[table.file], strings.Fields(table.abis))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table.file, err)
		}
		tables[table.arch] = calls
	}
	for name, entry := range readUnistd(tree, "arm", armPrivate, "arch/arm/include/uapi/asm/unistd.h") {
		tables["arm"][name] = entry
	}
	for _, arch := range []string{"arm64", "riscv64"} {
		own := archFolder[arch] + "/include/uapi/asm/unistd.h"
		tables[arch] = readUnistd(tree, arch, genericNumber, own, "include/uapi/asm-generic/unistd.h", own)
	}
	for arch, calls := range tables {
		if len(calls) < 6 {
			return nil, fmt.Errorf("only %d calls found for %s", len(calls), arch)
		}
	}
	return tables, nil
}

// readTable reads a table of lines "number abi name handler".
func readTable(text string, abis []string) (map[string]entry, error) {
	calls := make(map[string]entry)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 3 || strings.HasPrefix(line, "#") || !contains(abis, fields[1]) {
			continue
		}
		number, err := strconv.ParseUint(fields[0], 10, 32)
		if err != nil {
			return nil, err
		}
		call := entry{number: uint32(number)}
		if len(fields) > 3 {
			call.handler = strings.TrimPrefix(strings.TrimPrefix(fields[3], "compat_"), "sys_")
		}
		calls[fields[2]] = call
	}
	return calls, nil
}

func contains(list []string, item string) bool {
	for _, have := range list {
		if have == item {
			return true
		}
	}
	return false
}

var (
	genericNumber = regexp.MustCompile(`^__NR_(\w+)$`)
	armPrivate    = regexp.MustCompile(`^__ARM_NR_([a-z]\w+)$`)
	handlerMacro  = regexp.MustCompile(`(?m)^__(?:SYSCALL|SC_COMP|SC_3264|SC_COMP_3264)\(\s*(\w+)\s*,\s*([^)]*)\)`)
)

// readUnistd reads a table given as macros, as asm-generic/unistd.h does: the
// number is a macro that pattern matches, the handler stands in a __SYSCALL.
func readUnistd(tree sourceTree, arch string, pattern *regexp.Regexp, files ...string) map[string]entry {
	p := newPreprocessor(archMacros[arch])
	handlers := make(map[uint64]string)
	for _, file := range files {
		p.file(tree[file])
		for _, match := range handlerMacro.FindAllStringSubmatch(p.text.String(), -1) {
			number, err := p.value(match[1])
			if err != nil {
				continue
			}
			choices := strings.Split(match[2], ",")
			choice := choices[0]
			if strings.Contains(match[0], "_3264") {
				choice = choices[1] // the 64-bit one
			}
			handlers[number] = strings.TrimPrefix(strings.TrimSpace(choice), "sys_")
		}
	}
	calls := make(map[string]entry)
	for _, macro := range p.names {
		match := pattern.FindStringSubmatch(macro)
		if match == nil {
			continue
		}
		number, err := p.value(macro)
		handler, served := handlers[number]
		if err != nil || (pattern == genericNumber && !served) {
			continue
		}
		calls[match[1]] = entry{uint32(number), handler}
	}
	return calls
}
