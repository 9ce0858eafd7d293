package filter

import "fmt"

// Run interprets the program as the kernel would and returns its action and
// the number of instructions it executed. A program that passes Validate never
// fails; one that doesn't may, at the instruction the kernel would refuse.
// Run always ends: every jump goes forward.
func (p Program) Run(d Data) (action Action, steps int, err error) {
	var a, x uint32
	var memory [memoryWords]uint32
	for pc := 0; pc < len(p); pc++ {
		ins := p[pc]
		k := ins.K
		steps++
		switch ins.Code {
		case opLoad:
			if k >= dataSize || k%4 != 0 {
				return 0, steps, fmt.Errorf("run seccomp program: instruction %d: load at offset %d", pc, k)
			}
			a = d.word(k)
		case opRet:
			return Action(k), steps, nil
		case classRET | retA:
			return Action(a), steps, nil
		case opJA:
			if int64(k) > int64(len(p)-pc) {
				return 0, steps, fmt.Errorf("run seccomp program: instruction %d: jump past the end", pc)
			}
			pc += int(k)
		case opJEQ, opJGT, opJGE, opJSET:
			pc += ins.skip(a, k)
		case opJEQ | srcX, opJGT | srcX, opJGE | srcX, opJSET | srcX:
			pc += ins.skip(a, x)
		case classLD | modeLEN:
			a = dataSize
		case classLDX | modeLEN:
			x = dataSize
		case classLD | modeIMM:
			a = k
		case classLDX | modeIMM:
			x = k
		case classMISC | miscTAX:
			x = a
		case classMISC | miscTXA:
			a = x
		case classLD | modeMEM, classLDX | modeMEM, classST, classSTX:
			if k >= memoryWords {
				return 0, steps, fmt.Errorf("run seccomp program: instruction %d: memory word %d", pc, k)
			}
			switch ins.Code {
			case classLD | modeMEM:
				a = memory[k]
			case classLDX | modeMEM:
				x = memory[k]
			case classST:
				memory[k] = a
			default:
				memory[k] = x
			}
		default:
			operand := k
			if ins.Code&srcX != 0 {
				operand = x
			}
			result, ok := ins.compute(a, operand)
			if !ok {
				return 0, steps, fmt.Errorf("run seccomp program: instruction %d: code %#04x is not one seccomp allows", pc, ins.Code)
			}
			if ins.Code == classALU|aluDIV|srcX && x == 0 {
				// The kernel ends the program with 0 (bpf_convert_filter in net/core/filter.c).
				return 0, steps, nil
			}
			a = result
		}
	}
	return 0, steps, fmt.Errorf("run seccomp program: ran past instruction %d without a return", len(p)-1)
}

// skip returns how many instructions a conditional jump skips.
func (ins Instruction) skip(a, operand uint32) int {
	var holds bool
	switch ins.Code &^ srcX {
	case opJEQ:
		holds = a == operand
	case opJGT:
		holds = a > operand
	case opJGE:
		holds = a >= operand
	case opJSET:
		holds = a&operand != 0
	}
	if holds {
		return int(ins.Jt)
	}
	return int(ins.Jf)
}

// compute returns an arithmetic instruction's result, or false if the code is
// none. Division by zero gives zero.
func (ins Instruction) compute(a, operand uint32) (uint32, bool) {
	switch ins.Code &^ srcX {
	case classALU | aluADD:
		return a + operand, true
	case classALU | aluSUB:
		return a - operand, true
	case classALU | aluMUL:
		return a * operand, true
	case classALU | aluDIV:
		if operand == 0 {
			return 0, true
		}
		return a / operand, true
	case classALU | aluOR:
		return a | operand, true
	case classALU | aluAND:
		return a & operand, true
	case classALU | aluLSH:
		return a << (operand & 31), true
	case classALU | aluRSH:
		return a >> (operand & 31), true
	case classALU | aluXOR:
		return a ^ operand, true
	}
	if ins.Code == classALU|aluNEG {
		return -a, true
	}
	return 0, false
}
