package filter

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
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
	{opLoad, "ld"},
	{classLD | modeLEN, "ld"},
	{classLD | modeIMM, "ld"},
	{classLD | modeMEM, "ld"},
	{classLDX | modeLEN, "ldx"},
	{classLDX | modeIMM, "ldx"},
	{classLDX | modeMEM, "ldx"},
	{classST, "st"},
	{classSTX, "stx"},
	{opRet, "ret"},
	{classRET | retA, "ret"},
	{opJA, "ja"},
	{opJEQ, "jeq"},
	{opJGT, "jgt"},
	{opJGE, "jge"},
	{opJSET, "jset"},
	{classALU | aluADD, "add"},
	{classALU | aluSUB, "sub"},
	{classALU | aluMUL, "mul"},
	{classALU | aluDIV, "div"},
	{classALU | aluOR, "or"},
	{opAnd, "and"},
	{classALU | aluLSH, "lsh"},
	{classALU | aluRSH, "rsh"},
	{classALU | aluXOR, "xor"},
	{classALU | aluNEG, "neg"},
	{classMISC | miscTAX, "tax"},
	{classMISC | miscTXA, "txa"},
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
