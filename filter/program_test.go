package filter

import (
	"errors"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	ret := Instruction{Code: opRet}
	tests := []struct {
		name string
		p    Program
		want string // "" if valid
	}{
		{"return", Program{ret}, ""},
		{"empty", nil, "no instructions"},
		{"longest", append(make(Program, 0, MaxInstructions), repeat(ret, MaxInstructions)...), ""},
		{"too long", repeat(ret, MaxInstructions+1), "4097 instructions, the kernel takes at most 4096"},
		{"no return", Program{ret, {Code: opLoad}}, "the last instruction is not a return"},
		{"unaligned", Program{{Code: opLoad, K: 2}, ret}, "instruction 0: load at offset 2: want a multiple of 4 below 64"},
		{"beyond", Program{{Code: opLoad, K: 64}, ret}, "instruction 0: load at offset 64: want a multiple of 4 below 64"},
		{"byte", Program{{Code: 0x30}, ret}, "instruction 0: code 0x0030 is not one seccomp allows"},
		{"modulo", Program{{Code: 0x94, K: 1}, ret}, "instruction 0: code 0x0094 is not one seccomp allows"},
		{"jump", Program{{Code: opJEQ, Jt: 1}, ret, ret}, ""},
		{"jump out", Program{{Code: opJEQ, Jt: 2}, ret, ret}, "instruction 0: jump over 2 instructions leaves the program"},
		{"ja out", Program{{Code: opJA, K: 1<<32 - 1}, ret, ret}, "instruction 0: jump over 4294967295 instructions leaves the program"},
		{"division", Program{{Code: classALU | aluDIV}, ret}, "instruction 0: division by zero"},
		{"shift", Program{{Code: classALU | aluLSH, K: 32}, ret}, "instruction 0: shift by 32 bits"},
		{"memory", Program{{Code: classST, K: 16}, ret}, "instruction 0: memory word 16: there are 16"},
		{"unwritten", Program{{Code: classLD | modeMEM, K: 3}, ret}, "instruction 0: loads memory word 3 before it is written"},
		{"written", Program{{Code: classST, K: 3}, {Code: classLDX | modeMEM, K: 3}, ret}, ""},
		{
			"written on one way",
			Program{{Code: opJEQ, Jt: 1}, {Code: classST, K: 3}, {Code: classLD | modeMEM, K: 3}, ret},
			"instruction 2: loads memory word 3 before it is written",
		},
	}
	for _, test := range tests {
		err := test.p.Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: Validate() = %v; want nil", test.name, err)
		case test.want != "" && (!errors.Is(err, ErrInvalid) || err.Error() != "invalid seccomp program: "+test.want):
			t.Errorf("%s: Validate() = %v; want %q", test.name, err, test.want)
		}
	}
}

func repeat(ins Instruction, n int) Program {
	p := make(Program, n)
	for i := range p {
		p[i] = ins
	}
	return p
}

func TestParseProgramErrors(t *testing.T) {
	for want, b := range map[string][]byte{
		"parse seccomp program: 9 bytes is not a multiple of 8":                   make([]byte, 9),
		"parse seccomp program: 4097 instructions, the kernel takes at most 4096": make([]byte, 8*(MaxInstructions+1)),
		"parse seccomp program: 7 bytes is not a multiple of 8":                   make([]byte, 7),
	} {
		if p, err := ParseProgram(b); err == nil || err.Error() != want {
			t.Errorf("ParseProgram(%d bytes) = %v, %v; want %q", len(b), p, err, want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for name, p := range map[string]Program{
		"empty":    nil,
		"the end":  {{Code: opLoad}},
		"code":     {{Code: 0x30}},
		"offset":   {{Code: opLoad, K: 61}},
		"jump":     {{Code: opJA, K: 1<<32 - 1}, {Code: opRet}},
		"memory":   {{Code: classSTX, K: 99}, {Code: opRet}},
		"too far":  {{Code: opJEQ, Jt: 9}, {Code: opRet}},
		"just far": {{Code: opJA, K: 1}, {Code: opRet}},
	} {
		if a, _, err := p.Run(Data{}); err == nil || a != ActionKillThread {
			t.Errorf("%s: Run = %v, %v; want an error and no action", name, a, err)
		}
	}
}

func TestRunArithmetic(t *testing.T) {
	const a, x = 0x80000011, 0x15
	for code, want := range map[uint16]uint32{
		classALU | aluADD | srcX: 0x80000026,
		classALU | aluSUB | srcX: 0x7ffffffc,
		classALU | aluMUL | srcX: 0x80000165,
		classALU | aluDIV | srcX: 0x06186186,
		classALU | aluOR | srcX:  0x80000015,
		classALU | aluAND | srcX: 0x00000011,
		classALU | aluXOR | srcX: 0x80000004,
		classALU | aluLSH | srcX: 0x02200000,
		classALU | aluRSH | srcX: 0x00000400,
		classALU | aluNEG:        0x7fffffef,
		classMISC | miscTXA:      x,
		classLD | modeLEN:        dataSize,
	} {
		p := Program{{Code: classLDX | modeIMM, K: x}, {Code: classLD | modeIMM, K: a}, {Code: code}, {Code: classRET | retA}}
		if got, steps, err := p.Run(Data{}); uint32(got) != want || steps != 4 || err != nil {
			t.Errorf("code %#x: Run = %#x, %d, %v; want %#x, 4", code, uint32(got), steps, err, want)
		}
	}
	zero := Program{{Code: classLD | modeIMM, K: a}, {Code: classALU | aluDIV | srcX}, {Code: opRet, K: uint32(ActionAllow)}}
	if got, steps, err := zero.Run(Data{}); got != ActionKillThread || steps != 2 || err != nil {
		t.Errorf("division by zero: Run = %v, %d, %v; want kill thread, 2", got, steps, err)
	}
}

func TestDisassemble(t *testing.T) {
	p := Program{
		{Code: opLoad, K: offArch},
		{Code: opJEQ, K: 0xc000003e, Jf: 10},
		{Code: opLoad, K: offNr},
		{Code: opJGE, K: 0x40000000, Jt: 8},
		{Code: opJGE, K: 257, Jf: 1},
		{Code: opJEQ, K: 600, Jt: 6},
		{Code: opLoad, K: offLow(2)},
		{Code: opJSET, K: 0x80000, Jt: 3},
		{Code: opAnd, K: 3},
		{Code: opJEQ, K: 1, Jt: 2},
		{Code: opJA, K: 1},
		{Code: opRet, K: uint32(Errno(13))},
		{Code: opRet, K: uint32(ActionAllow)},
		{Code: classALU | aluADD | srcX},
		{Code: 0xffff, K: 1},
		{Code: classRET | retA},
	}
	const want = `
   0  ld    [4]                            ; arch
   1  jeq   #0xc000003e, 2, 12             ; arch == amd64?
   2  ld    [0]                            ; nr
   3  jge   #0x40000000, 12, 4             ; nr >= first x32 call?
   4  jge   #257, 5, 6                     ; nr >= openat (257)?
   5  jeq   #600, 12, 6                    ; nr == call 600?
   6  ld    [32]                           ; arg2 low
   7  jset  #0x80000, 11, 8                ; arg2 low & 0x80000?
   8  and   #3                             ; arg2 low & 3
   9  jeq   #1, 12, 10                     ; arg2 low & 3 == 1?
  10  ja    12
  11  ret   #0x5000d                       ; errno(EACCES)
  12  ret   #0x7fff0000                    ; allow
  13  add   x                              ; never reached
  14  .word 0xffff, 0, 0, 0x1              ; never reached
  15  ret   a                              ; never reached
`
	if got := "\n" + p.String(); got != want {
		t.Errorf("Disassemble writes:%s\nwant:%s", got, want)
	}
}

// TestDisassembleKeepsQuiet holds the listing to what is sure: where ways with
// different words in the accumulator meet, it names none.
func TestDisassembleKeepsQuiet(t *testing.T) {
	p := Program{
		{Code: opLoad, K: offNr},
		{Code: opJEQ, K: 1, Jt: 1},
		{Code: opLoad, K: offArch},
		{Code: opJEQ, K: 5, Jt: 1},
		{Code: opRet},
		{Code: opRet, K: uint32(ActionAllow)},
	}
	if line := strings.Split(p.String(), "\n")[3]; line != "   3  jeq   #5, 5, 4" {
		t.Errorf("Disassemble writes %q; want no comment", line)
	}
}
