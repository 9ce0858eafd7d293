package filter

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// Disassemble writes the program, an instruction a line: its index, mnemonic
// and operand, where a jump goes if it holds and if it doesn't, and what that
// means. Indices count from 0, as jump targets do. Call names are those of the
// architecture that the program has compared with by then.
func (p Program) Disassemble(w io.Writer) error {
	known := p.follow()
	out := bufio.NewWriter(w)
	for pc, ins := range p {
		text, comment := ins.text(pc), known[pc].comment(ins)
		if comment != "" {
			text = fmt.Sprintf("%-36s ; %s", text, comment)
		}
		fmt.Fprintf(out, "%4d  %s\n", pc, text)
	}
	return out.Flush()
}

// String returns the listing that Disassemble writes.
func (p Program) String() string {
	var b strings.Builder
	_ = p.Disassemble(&b) // a Builder takes every write
	return b.String()
}

// mnemonics of the codes seccomp allows, as bpfc and tcpdump name them.
var mnemonics = [...]struct {
	code uint16
	name string
}{
	{opLoad, "ld"}, {classLD | modeLEN, "ld"}, {classLD | modeIMM, "ld"}, {classLD | modeMEM, "ld"},
	{classLDX | modeLEN, "ldx"}, {classLDX | modeIMM, "ldx"}, {classLDX | modeMEM, "ldx"},
	{classST, "st"}, {classSTX, "stx"}, {opRet, "ret"}, {classRET | retA, "ret"}, {opJA, "ja"},
	{opJEQ, "jeq"}, {opJGT, "jgt"}, {opJGE, "jge"}, {opJSET, "jset"},
	{classALU | aluADD, "add"}, {classALU | aluSUB, "sub"}, {classALU | aluMUL, "mul"}, {classALU | aluDIV, "div"},
	{classALU | aluOR, "or"}, {opAnd, "and"}, {classALU | aluLSH, "lsh"}, {classALU | aluRSH, "rsh"},
	{classALU | aluXOR, "xor"}, {classALU | aluNEG, "neg"}, {classMISC | miscTAX, "tax"}, {classMISC | miscTXA, "txa"},
}

// text returns the instruction without its meaning.
func (ins Instruction) text(pc int) string {
	name := ""
	for _, m := range mnemonics {
		jumpOrALU := m.code&0x07 == classJMP || m.code&0x07 == classALU
		if ins.Code == m.code || jumpOrALU && ins.Code == m.code|srcX {
			name = m.name
		}
	}
	if name == "" {
		return fmt.Sprintf(".word %#04x, %d, %d, %#x", ins.Code, ins.Jt, ins.Jf, ins.K)
	}
	if operand := ins.operand(pc); operand != "" {
		return fmt.Sprintf("%-5s %s", name, operand)
	}
	return name
}

// operand returns what the instruction works on, and where a jump goes.
func (ins Instruction) operand(pc int) string {
	value := "#" + constant(ins.K)
	if ins.Code&srcX != 0 {
		value = "x"
	}
	switch ins.Code & 0x07 {
	case classJMP:
		if ins.Code == opJA {
			return strconv.FormatUint(uint64(pc)+1+uint64(ins.K), 10)
		}
		return fmt.Sprintf("%s, %d, %d", value, pc+1+int(ins.Jt), pc+1+int(ins.Jf))
	case classALU:
		if ins.Code == classALU|aluNEG {
			return ""
		}
		return value
	case classRET:
		if ins.Code == classRET|retA {
			return "a"
		}
		return value
	case classST, classSTX:
		return "M[" + strconv.FormatUint(uint64(ins.K), 10) + "]"
	case classMISC:
		return ""
	}
	switch ins.Code &^ 0x07 {
	case modeLEN:
		return "len"
	case modeMEM:
		return "M[" + strconv.FormatUint(uint64(ins.K), 10) + "]"
	case modeABS:
		return "[" + strconv.FormatUint(uint64(ins.K), 10) + "]"
	}
	return value
}

// constant writes small numbers in decimal, others in hexadecimal.
func constant(k uint32) string {
	if k < 4096 {
		return strconv.FormatUint(uint64(k), 10)
	}
	return "0x" + strconv.FormatUint(uint64(k), 16)
}

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
	sign := map[uint16]string{opJEQ: "==", opJGE: ">=", opJGT: ">", opJSET: "&"}[ins.Code]
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
	if audit == abi.AMD64.Audit() && nr == abi.X32Bit {
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
