package policy

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// value resolves an operand for an architecture, as a number of so many bits.
func (o Operand) value(arch abi.Arch, bits int) (uint64, error) {
	var sum uint64
	for part := range strings.SplitSeq(string(o), "|") {
		v, err := partValue(strings.TrimSpace(part), arch)
		if err != nil {
			return 0, err
		}
		sum |= v
	}
	if bits == 32 {
		if int64(sum) < 0 && int64(sum) >= math.MinInt32 {
			sum &= math.MaxUint32
		}
		if sum > math.MaxUint32 {
			return 0, fmt.Errorf("%s does not fit the argument, which has 32 bits", o)
		}
	}
	return sum, nil
}

// named writes an operand that is a number as the argument's table has it, where
// that reads back as the same value.
func (o Operand) named(arg *abi.Arg, arch abi.Arch) Operand {
	bits := width(arg, arch)
	number, err := strconv.ParseUint(string(o), 0, 64)
	if err != nil {
		return o
	}
	number = number << (64 - bits) >> (64 - bits) // what the kernel, and so a condition, does not look at
	named := Operand(arg.Format(arch, number))
	if value, err := named.value(arch, bits); err == nil && value<<(64-bits)>>(64-bits) == number {
		return named
	}
	return Operand("0x" + strconv.FormatUint(number, 16))
}

// partValue resolves a number or a constant's name.
func partValue(part string, arch abi.Arch) (uint64, error) {
	switch {
	case part == "":
		return 0, errors.New("a value is missing: write a number or a constant's name")
	case part[0] == '-':
		n, err := strconv.ParseInt(part, 0, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number of 64 bits", part)
		}
		return uint64(n), nil
	case '0' <= part[0] && part[0] <= '9':
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number of 64 bits", part)
		}
		return n, nil
	}
	if v, ok := abi.ParseConstant(part, arch); ok {
		return v, nil
	}
	if near := nearestConstant(part); near != "" {
		return 0, fmt.Errorf("no constant %q: did you mean %q? a number will do too", part, near)
	}
	if strings.ContainsAny(part, "/.") {
		return 0, fmt.Errorf("no constant %q: begin a path with /, ~/ or ./", part)
	}
	return 0, fmt.Errorf("no constant %q: write its number", part)
}
