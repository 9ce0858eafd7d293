package filter

import (
	"math/rand/v2"

	"github.com/callgate/callgate/abi"
)

// maker makes filters and calls out of a stream of choices, so that a fuzzer's
// bytes and a random generator drive the same tests.
type maker struct {
	choose func(n int) int // from 0 to n-1
}

func randomMaker(seed uint64) maker {
	r := rand.New(rand.NewPCG(seed, 0))
	return maker{r.IntN}
}

// edges are the values at which comparisons of 32 and 64 bits go wrong.
var edges = []uint64{
	0, 1, 2, 3, 7, 8, 0xff, 0x100, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
	1 << 32, 1<<32 + 1, 1<<33 - 1, 1 << 62, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 1<<32,
	1<<64 - 1<<31, 1<<64 - 2, 1<<64 - 1,
}

func pick[T any](m maker, list []T) T { return list[m.choose(len(list))] }

func (m maker) value() uint64 {
	v := pick(m, edges)
	if m.choose(3) == 0 {
		v += uint64(m.choose(5)) - 2
	}
	if m.choose(8) == 0 {
		v ^= pick(m, edges) << m.choose(40)
	}
	return v
}

// actions a random rule may have: each tells the rule by its data.
func (m maker) action() Action {
	switch m.choose(6) {
	case 0:
		return ActionAllow
	case 1:
		return ActionKillProcess
	}
	return Errno(abi.Errno(m.choose(5)))
}

// cond returns a condition that Check accepts.
func (m maker) cond() Cond {
	for range 100 {
		c := Cond{
			Arg:    m.choose(3),
			Op:     Op(m.choose(int(In)) + 1),
			Bits:   pick(m, []int{0, 32, 64}),
			Signed: m.choose(3) == 0,
		}
		count := 1
		switch c.Op {
		case Range:
			count = 2
		case In:
			count = m.choose(7) + 1
		}
		for range count {
			c.Values = append(c.Values, m.value())
		}
		if c.Bits == 32 {
			for i := range c.Values {
				c.Values[i] = uint64(uint32(c.Values[i]))
			}
		}
		if c.Op == MaskedEqual {
			c.Mask = m.value()
			if c.Bits == 32 {
				c.Mask = uint64(uint32(c.Mask))
			}
			c.Values[0] &= c.Mask
		}
		if c.Op == Range && c.less(c.number(c.Values[1]), c.number(c.Values[0])) {
			c.Values[0], c.Values[1] = c.Values[1], c.Values[0]
		}
		if c.Check() == nil {
			return c
		}
	}
	return Cond{Op: Equal, Values: []uint64{1}}
}

// rule returns a rule for one of numbers calls that Check accepts.
func (m maker) rule(first abi.Sysno, numbers int) Rule {
	r := Rule{Nr: first + abi.Sysno(m.choose(numbers)), Then: m.action()}
	for range m.choose(4) {
		r.When = append(r.When, m.cond())
	}
	if r.contradicts() {
		r.When = r.When[:1]
	}
	return r
}

// filter returns a filter that Check accepts.
func (m maker) filter() Filter {
	f := Filter{Foreign: m.action()}
	numbers := pick(m, []int{1, 3, 40, 500})
	for _, arch := range []abi.Arch{abi.AMD64, abi.X32, abi.I386, abi.ARM64} {
		if m.choose(2) == 0 {
			continue
		}
		t := Table{Arch: arch, Default: m.action()}
		first := abi.Sysno(0)
		if arch == abi.X32 {
			first = abi.X32Bit
		}
		for range m.choose(pick(m, []int{1, 2, 10, 60})) {
			t.Rules = append(t.Rules, m.rule(first, numbers))
		}
		f.Tables = append(f.Tables, t)
	}
	return f
}

// numbers returns the call numbers at which the filter's verdict may change,
// and some at random.
func (m maker) numbers(t *Table) []abi.Sysno {
	list := []abi.Sysno{0, 1, abi.X32Bit - 1, abi.X32Bit, abi.X32Bit + 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1}
	if t != nil {
		for _, r := range t.Rules {
			list = append(list, r.Nr, r.Nr-1, r.Nr+1, r.Nr^abi.X32Bit)
		}
	}
	return append(list, abi.Sysno(m.choose(600)))
}

// args returns arguments for a call: values near those that its rules compare
// with, or edges.
func (m maker) args(t *Table, nr abi.Sysno) (args [6]uint64) {
	for i := range args {
		args[i] = m.value()
	}
	if t == nil {
		return args
	}
	for _, r := range t.Rules {
		if r.Nr != nr || m.choose(3) == 0 {
			continue
		}
		for _, c := range r.When {
			v := pick(m, c.Values)
			switch m.choose(6) {
			case 0:
				v++
			case 1:
				v--
			case 2:
				v ^= pick(m, edges)
			case 3:
				v |= pick(m, edges) &^ c.Mask
			}
			args[c.Arg] = v
		}
	}
	return args
}

// program returns instructions that are mostly valid.
func (m maker) program() Program {
	codes := []uint16{
		opLoad, opRet, classRET | retA, opJA, opJEQ, opJGT, opJGE, opJSET, opJEQ | srcX, opJGT | srcX, opJGE | srcX, opJSET | srcX,
		classLD | modeLEN, classLDX | modeLEN, classLD | modeIMM, classLDX | modeIMM, classLD | modeMEM, classLDX | modeMEM,
		classST, classSTX, classMISC | miscTAX, classMISC | miscTXA,
		classALU | aluADD, classALU | aluSUB, classALU | aluMUL, classALU | aluDIV, classALU | aluOR, opAnd, classALU | aluXOR,
		classALU | aluLSH, classALU | aluRSH, classALU | aluNEG,
		classALU | aluADD | srcX, classALU | aluDIV | srcX, classALU | aluLSH | srcX, classALU | aluRSH | srcX, classALU | aluXOR | srcX,
	}
	p := make(Program, m.choose(12)+1)
	for pc := range p {
		ins := Instruction{Code: pick(m, codes), Jt: uint8(m.choose(len(p) - pc)), Jf: uint8(m.choose(len(p) - pc))}
		switch m.choose(4) {
		case 0:
			ins.K = uint32(m.choose(dataSize/4)) * 4
		case 1:
			ins.K = uint32(m.choose(40))
		case 2:
			ins.K = uint32(m.value())
		default:
			ins.K = uint32(m.choose(3))
		}
		if ins.Code == opLoad && m.choose(10) > 0 {
			ins.K = uint32(m.choose(dataSize/4)) * 4
		}
		if ins.Code == opJA && m.choose(10) > 0 {
			ins.K = uint32(m.choose(len(p) - pc))
		}
		if m.choose(100) == 0 {
			ins.Code = uint16(m.choose(300))
		}
		p[pc] = ins
	}
	p[len(p)-1].Code = pick(m, []uint16{opRet, opRet, opRet, classRET | retA})
	return p
}
