package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// argument is one token of kinds.txt.
type argument struct {
	kind      string // as package abi's constant without "Kind"
	direction string // "", "In", "Out" or "InOut"
	set       string // the flag set's name, or ""
	length    int    // the argument that gives the length, or -1
	bits      int    // fewer than the type has, or 0
}

// meaning is one line of kinds.txt.
type meaning struct {
	name     string   // the call's
	arches   []string // nil for all that have no line of their own
	args     []argument
	result   string
	reserved bool // a number without a call
}

// The words of kinds.txt for package abi's constants.
var (
	kindNames = map[string]string{
		"int": "Int", "fd": "FD", "dirfd": "DirFD", "mode": "Mode", "device": "Device", "pid": "PID", "uid": "UID",
		"gid": "GID", "signal": "Signal", "offset": "Offset", "size": "Size", "count": "Count", "address": "Address",
		"id": "ID", "key": "Key", "path": "Path", "string": "String", "strings": "Strings", "variant": "Variant",
		"reserved": "Reserved", "unused": "Unused", "ioctl": "Ioctl",
		"buffer": "Buffer", "struct": "Struct", "array": "Array", "iovec": "Iovec", "sockaddr": "Sockaddr",
		"sigset": "SignalSet", "timespec": "Timespec", "timeval": "Timeval", "fds": "FDPair",
	}
	directions  = map[string]string{"in": "In", "out": "Out", "inout": "InOut"}
	resultNames = map[string]string{
		"status": "Status", "fd": "FD", "size": "Size", "count": "Count", "pid": "PID", "uid": "UID", "gid": "GID",
		"mode": "Mode", "address": "Address", "offset": "Offset", "int": "Int", "id": "ID", "key": "Key",
		"variant": "Variant", "none": "None",
	}
)

func readKinds(folder string) ([]meaning, error) {
	var meanings []meaning
	err := eachLine(filepath.Join(folder, "kinds.txt"), func(line string) error {
		m, err := parseMeaning(line)
		if err == nil && slices.ContainsFunc(meanings, func(o meaning) bool {
			return o.name == m.name && slices.Equal(o.arches, m.arches)
		}) {
			err = fmt.Errorf("%s: second line", m.name)
		}
		meanings = append(meanings, m)
		return err
	})
	return meanings, err
}

func parseMeaning(line string) (meaning, error) {
	left, result, hasResult := strings.Cut(line, "->")
	fields := strings.Fields(left)
	m := meaning{result: "Status"}
	if len(fields) == 0 {
		return m, fmt.Errorf("%q names no call", line)
	}
	name, arches, hasArches := strings.Cut(fields[0], "@")
	m.name = name
	if hasArches {
		m.arches = strings.Split(arches, ",")
	}
	if hasResult {
		known := false
		if m.result, known = resultNames[strings.TrimSpace(result)]; !known {
			return m, fmt.Errorf("%s: unknown result %q", name, strings.TrimSpace(result))
		}
	}
	for _, field := range fields[1:] {
		if field == "?" {
			m.reserved = true
			continue
		}
		arg, err := parseArgument(field)
		if err != nil {
			return m, fmt.Errorf("%s: %w", name, err)
		}
		m.args = append(m.args, arg)
	}
	return m, nil
}

func parseArgument(token string) (argument, error) {
	arg := argument{length: -1}
	rest := token
	if before, bits, found := strings.Cut(rest, "/"); found {
		rest = before
		var err error
		if arg.bits, err = strconv.Atoi(bits); err != nil {
			return arg, err
		}
	}
	if before, length, found := strings.Cut(rest, "#"); found {
		rest = before
		var err error
		if arg.length, err = strconv.Atoi(length); err != nil {
			return arg, err
		}
	}
	if before, set, found := strings.Cut(rest, ":"); found {
		rest, arg.set = before, set
	}
	if before, kind, found := strings.Cut(rest, "."); found {
		if arg.direction = directions[before]; arg.direction == "" {
			return arg, fmt.Errorf("unknown direction in %q", token)
		}
		rest = kind
	}
	switch {
	case rest == "" && arg.set != "":
		arg.kind = "Flags" // or Choice, which the set decides
	case rest == "size" && arg.direction != "":
		arg.kind = "SizePointer"
	case rest == "path" || rest == "string" || rest == "strings":
		arg.kind, arg.direction = kindNames[rest], "In"
	case rest == "signal":
		arg.kind, arg.set = "Signal", "signal"
	case rest == "mode":
		arg.kind, arg.set = "Mode", "mode"
	default:
		arg.kind = kindNames[rest]
	}
	if arg.kind == "" {
		return arg, fmt.Errorf("unknown kind in %q", token)
	}
	return arg, nil
}
