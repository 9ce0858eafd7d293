package abi

import (
	"strconv"
	"strings"
)

// String is the call as its registers alone show it, pointers as addresses:
//
//	openat(AT_FDCWD, 0x7ffe3a10, O_RDONLY|O_CLOEXEC, 0)
//
// A number without a row shows all six registers: "amd64:500(0x1, 0, 0, 0, 0, 0)".
func (c Call) String() string {
	var b strings.Builder
	row, known := c.Syscall()
	count := len(c.Args)
	if known {
		b.WriteString(row.Name)
		count = len(row.Args)
	} else {
		b.WriteString(c.Arch.String() + ":" + strconv.FormatUint(uint64(c.Nr), 10))
	}
	b.WriteByte('(')
	for i, register := range c.Args[:count] {
		if i > 0 {
			b.WriteString(", ")
		}
		if known {
			b.WriteString(row.Args[i].Format(c.Arch, register))
		} else {
			b.WriteString(hex(register))
		}
	}
	b.WriteByte(')')
	return b.String()
}

// atFDCWD stands for the working directory (AT_FDCWD).
const atFDCWD = -100

// Format writes a register as the argument's kind has it: flags by name, modes
// in octal, numbers in decimal, pointers as addresses.
func (a *Arg) Format(arch Arch, register uint64) string {
	value := a.Narrow(register)
	switch a.Kind {
	case KindFlags, KindChoice, KindIoctl:
		return a.Flags.Format(arch, value)
	case KindSignal:
		if value >= 1 && value <= uint64(lastRealTime) {
			return Signal(value).String()
		}
	case KindMode:
		if value == 0 {
			return "0"
		}
		return "0" + strconv.FormatUint(value, 8)
	case KindDirFD:
		if int64(value) == atFDCWD {
			return "AT_FDCWD"
		}
	case KindUID, KindGID:
		if uint32(value) == ^uint32(0) {
			return "-1" // leave as it is
		}
	case KindVariant, KindReserved, KindUnused, KindDevice:
		return hex(value)
	}
	switch {
	case (a.Pointer() || a.Kind == KindAddress) && value == 0:
		return "NULL"
	case a.Pointer() || a.Kind == KindAddress:
		return hex(value)
	case a.Signed:
		return strconv.FormatInt(int64(value), 10)
	}
	return strconv.FormatUint(value, 10)
}
