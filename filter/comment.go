package filter

import (
	"strconv"

	"github.com/callgate/callgate/abi"
)

// knowledge is what is known where an instruction starts.
type knowledge struct {
	reached bool
	field   field // what the accumulator holds
	audit   uint32
}

// follow finds what is known at each instruction: what every way there agrees
// on. Jumps go forward, so one pass suffices.
func (p Program) follow() []knowledge {
	known := make([]knowledge, len(p)+1)
	known[0].reached = true
	arrive := func(to int, k knowledge) {
		if to >= len(known) {
			return
		}
		if !known[to].reached {
			known[to] = k
			return
		}
		if known[to].field != k.field {
			known[to].field = field{}
		}
		if known[to].audit != k.audit {
			known[to].audit = 0
		}
	}
	for pc, ins := range p {
		k := known[pc]
		if !k.reached {
			continue
		}
		switch ins.Code & 0x07 {
		case classRET:
		case classJMP:
			if ins.Code == opJA {
				if int64(ins.K) < int64(len(p)) {
					arrive(pc+1+int(ins.K), k)
				}
				continue
			}
			arrive(pc+1+int(ins.Jf), k)
			if ins.Code == opJEQ && k.field == word(offArch) {
				k.audit = ins.K
			}
			arrive(pc+1+int(ins.Jt), k)
		case classLD:
			k.field = field{}
			if ins.Code == opLoad {
				k.field = word(ins.K)
			}
			arrive(pc+1, k)
		case classALU:
			if ins.Code == opAnd && k.field != (field{}) {
				k.field.mask &= ins.K
			} else {
				k.field = field{}
			}
			arrive(pc+1, k)
		default:
			if ins.Code == classMISC|miscTXA {
				k.field = field{}
			}
			arrive(pc+1, k)
		}
	}
	return known
}

// comment says what an instruction means.
func (k knowledge) comment(ins Instruction) string {
	if !k.reached {
		return "never reached"
	}
	switch ins.Code {
	case opRet:
		return Action(ins.K).String()
	case opLoad:
		return word(ins.K).String()
	case opAnd:
		f := k.field
		f.mask &= ins.K
		return f.String()
	case opJEQ, opJGE, opJGT, opJSET:
		return k.comparison(ins)
	}
	return ""
}

// comparison says what a conditional jump asks.
func (k knowledge) comparison(ins Instruction) string {
	if k.field == (field{}) {
		return ""
	}
	sign := "=="
	switch ins.Code {
	case opJGE:
		sign = ">="
	case opJGT:
		sign = ">"
	case opJSET:
		sign = "&"
	}
	value := constant(ins.K)
	switch k.field {
	case word(offArch):
		value = archName(ins.K)
	case word(offNr):
		value = numberName(k.audit, abi.Sysno(ins.K))
	}
	return k.field.String() + " " + sign + " " + value + "?"
}

// archName names an AUDIT_ARCH_* value.
func archName(audit uint32) string {
	for arch := abi.AMD64; arch <= abi.ARM; arch++ {
		if arch.Audit() == audit {
			return arch.String()
		}
	}
	return constant(audit)
}

// numberName names a call number in a program for an AUDIT_ARCH_* value.
func numberName(audit uint32, nr abi.Sysno) string {
	switch {
	case nr == ^abi.Sysno(0):
		return "-1"
	case audit == abi.AMD64.Audit() && nr == abi.X32Bit:
		return "first x32 call"
	}
	for arch := abi.AMD64; arch <= abi.ARM; arch++ {
		if arch.Audit() == audit && (arch == abi.X32) == (nr >= abi.X32Bit) {
			return callName(arch, nr)
		}
	}
	return strconv.FormatUint(uint64(nr), 10)
}

// String names the field: "arch", "nr", "arg0 low & 0xff".
func (f field) String() string {
	var name string
	switch {
	case f == field{}:
		return "?"
	case f.off == offNr:
		name = "nr"
	case f.off == offArch:
		name = "arch"
	case f.off < offArgs:
		name = "ip" + half(f.off)
	case f.off < dataSize:
		name = "arg" + strconv.Itoa(int(f.off-offArgs)/8) + half(f.off)
	default:
		name = "?"
	}
	if f.mask != ^uint32(0) {
		name += " & " + constant(f.mask)
	}
	return name
}

// half says which half of a 64-bit number lies at an offset.
func half(off uint32) string {
	if off%8 == 4 {
		return " high"
	}
	return " low"
}
