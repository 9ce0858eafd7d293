package filter

import (
	"errors"
	"fmt"
)

// ErrInvalid is what every error of Program.Validate is: the kernel would
// answer EINVAL.
var ErrInvalid = errors.New("invalid seccomp program")

// Validate applies the kernel's own rules, so that a program it accepts loads
// and one it refuses doesn't: bpf_check_classic and check_load_and_stores in
// net/core/filter.c, seccomp_check_filter in kernel/seccomp.c.
func (p Program) Validate() error {
	if len(p) == 0 {
		return fmt.Errorf("%w: no instructions", ErrInvalid)
	}
	if len(p) > MaxInstructions {
		return fmt.Errorf("%w: %d instructions, the kernel takes at most %d", ErrInvalid, len(p), MaxInstructions)
	}
	for pc, ins := range p {
		if problem := ins.problem(len(p) - pc - 1); problem != "" {
			return fmt.Errorf("%w: instruction %d: %s", ErrInvalid, pc, problem)
		}
	}
	if last := p[len(p)-1].Code; last != opRet && last != classRET|retA {
		return fmt.Errorf("%w: the last instruction is not a return", ErrInvalid)
	}
	return p.validateMemory()
}

// problem says what is wrong with one instruction that has rest more after it,
// or "".
func (ins Instruction) problem(rest int) string {
	switch ins.Code {
	case opLoad:
		if ins.K >= dataSize || ins.K%4 != 0 {
			return fmt.Sprintf("load at offset %d: want a multiple of 4 below %d", ins.K, dataSize)
		}
	case classALU | aluDIV | srcK:
		if ins.K == 0 {
			return "division by zero"
		}
	case classALU | aluLSH | srcK, classALU | aluRSH | srcK:
		if ins.K >= 32 {
			return fmt.Sprintf("shift by %d bits", ins.K)
		}
	case classLD | modeMEM, classLDX | modeMEM, classST, classSTX:
		if ins.K >= memoryWords {
			return fmt.Sprintf("memory word %d: there are %d", ins.K, memoryWords)
		}
	case opJA:
		if int64(ins.K) >= int64(rest) {
			return fmt.Sprintf("jump over %d instructions leaves the program", ins.K)
		}
	case opJEQ, opJGT, opJGE, opJSET, opJEQ | srcX, opJGT | srcX, opJGE | srcX, opJSET | srcX:
		if int(max(ins.Jt, ins.Jf)) >= rest {
			return fmt.Sprintf("jump over %d instructions leaves the program", max(ins.Jt, ins.Jf))
		}
	case classLD | modeLEN, classLDX | modeLEN, classLD | modeIMM, classLDX | modeIMM,
		classMISC | miscTAX, classMISC | miscTXA, opRet, classRET | retA:
	default:
		if _, ok := ins.compute(0, 1); !ok {
			return fmt.Sprintf("code %#04x is not one seccomp allows", ins.Code)
		}
	}
	return ""
}

// validateMemory refuses loads of scratch words that some path leaves unwritten.
// Jumps are known to stay inside the program.
func (p Program) validateMemory() error {
	const all = 1<<memoryWords - 1
	arriving := make([]uint32, len(p)) // words written on every jump to here
	for pc := range arriving {
		arriving[pc] = all
	}
	var written uint32
	for pc, ins := range p {
		written &= arriving[pc]
		switch ins.Code {
		case classST, classSTX:
			written |= 1 << ins.K
		case classLD | modeMEM, classLDX | modeMEM:
			if written&(1<<ins.K) == 0 {
				return fmt.Errorf("%w: instruction %d: loads memory word %d before it is written", ErrInvalid, pc, ins.K)
			}
		case opJA:
			arriving[pc+1+int(ins.K)] &= written
			written = all
		default:
			if ins.Code&0x07 == classJMP {
				arriving[pc+1+int(ins.Jt)] &= written
				arriving[pc+1+int(ins.Jf)] &= written
				written = all
			}
		}
	}
	return nil
}
