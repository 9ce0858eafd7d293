package filter

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// MaxInstructions is the longest program the kernel loads (BPF_MAXINSNS,
// include/uapi/linux/bpf_common.h).
const MaxInstructions = 4096

// Instruction is one classic BPF instruction, laid out as struct sock_filter
// (include/uapi/linux/filter.h).
type Instruction struct {
	Code   uint16
	Jt, Jf uint8 // instructions to skip when a conditional jump holds, or doesn't
	K      uint32
}

// Program is a seccomp program: classic BPF that reads a Data and returns an
// Action. The empty Program is invalid.
type Program []Instruction

// instructionSize is sizeof(struct sock_filter) in bytes.
const instructionSize = 8

// The parts of an instruction's code (include/uapi/linux/bpf_common.h,
// include/uapi/linux/filter.h).
const (
	classLD   = 0x00
	classLDX  = 0x01
	classST   = 0x02
	classSTX  = 0x03
	classALU  = 0x04
	classJMP  = 0x05
	classRET  = 0x06
	classMISC = 0x07

	modeIMM = 0x00
	modeABS = 0x20
	modeMEM = 0x60
	modeLEN = 0x80

	srcK = 0x00
	srcX = 0x08
	retA = 0x10

	aluADD = 0x00
	aluSUB = 0x10
	aluMUL = 0x20
	aluDIV = 0x30
	aluOR  = 0x40
	aluAND = 0x50
	aluLSH = 0x60
	aluRSH = 0x70
	aluNEG = 0x80
	aluXOR = 0xa0

	jumpJA   = 0x00
	jumpJEQ  = 0x10
	jumpJGT  = 0x20
	jumpJGE  = 0x30
	jumpJSET = 0x40

	miscTAX = 0x00
	miscTXA = 0x80
)

// Whole codes: all that Compile emits.
const (
	opLoad = classLD | modeABS // BPF_W is 0
	opAnd  = classALU | aluAND | srcK
	opJA   = classJMP | jumpJA
	opJEQ  = classJMP | jumpJEQ | srcK
	opJGT  = classJMP | jumpJGT | srcK
	opJGE  = classJMP | jumpJGE | srcK
	opJSET = classJMP | jumpJSET | srcK
	opRet  = classRET | srcK
)

// memoryWords is the size of the scratch memory M[] (BPF_MEMWORDS).
const memoryWords = 16

// Bytes encodes the program as an array of struct sock_filter in little-endian
// byte order, that of every architecture callgate runs on.
func (p Program) Bytes() []byte {
	b := make([]byte, 0, len(p)*instructionSize)
	for _, ins := range p {
		b = binary.LittleEndian.AppendUint16(b, ins.Code)
		b = append(b, ins.Jt, ins.Jf)
		b = binary.LittleEndian.AppendUint32(b, ins.K)
	}
	return b
}

// ParseProgram decodes what Bytes encodes, for instance libseccomp's
// seccomp_export_bpf. It accepts any instructions: see Validate.
func ParseProgram(b []byte) (Program, error) {
	if len(b)%instructionSize != 0 {
		return nil, fmt.Errorf("parse seccomp program: %d bytes is not a multiple of %d", len(b), instructionSize)
	}
	if len(b)/instructionSize > MaxInstructions {
		return nil, fmt.Errorf("parse seccomp program: %d instructions, the kernel takes at most %d",
			len(b)/instructionSize, MaxInstructions)
	}
	p := make(Program, 0, len(b)/instructionSize)
	for ; len(b) > 0; b = b[instructionSize:] {
		p = append(p, Instruction{
			Code: binary.LittleEndian.Uint16(b),
			Jt:   b[2],
			Jf:   b[3],
			K:    binary.LittleEndian.Uint32(b[4:]),
		})
	}
	return p, nil
}

// MapActions returns the program with every action that it returns exchanged for
// what f makes of it.
func (p Program) MapActions(f func(Action) Action) Program {
	mapped := slices.Clone(p)
	for i, in := range mapped {
		if in.Code == classRET {
			mapped[i].K = uint32(f(Action(in.K)))
		}
	}
	return mapped
}
