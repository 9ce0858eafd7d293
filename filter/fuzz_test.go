package filter

import (
	"bytes"
	"testing"
)

// fuzzMaker makes choices from a fuzzer's bytes, two for each; at their end all
// choices are the first.
func fuzzMaker(data []byte) maker {
	return maker{func(n int) int {
		if len(data) < 2 {
			return 0
		}
		choice := int(data[0]) | int(data[1])<<8
		data = data[2:]
		return choice % n
	}}
}

// FuzzCompile compares the programs of filters with the filters' rules.
func FuzzCompile(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1, 0, 3, 0, 7, 0}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := fuzzMaker(data)
		made := m.filter()
		compare(t, m, &made)
		checkConstant(t, m, &made)
	})
}

// FuzzProgram feeds programs of any bytes to all that reads programs.
func FuzzProgram(f *testing.F) {
	f.Add([]byte{}, uint32(0), uint64(0))
	for seed := range uint64(20) {
		f.Add(randomMaker(seed).program().Bytes(), uint32(seed), seed<<32|seed)
	}
	f.Fuzz(func(t *testing.T, code []byte, nr uint32, arg uint64) {
		p, err := ParseProgram(code)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), code) {
			t.Fatalf("ParseProgram(%x).Bytes() = %x", code, p.Bytes())
		}
		_ = p.String()
		d := Data{Nr: 1, Arch: nr, IP: arg, Args: [6]uint64{arg, arg >> 32, arg << 32}}
		action, steps, err := p.Run(d)
		if steps > len(p) {
			t.Fatalf("Run executes %d of %d instructions", steps, len(p))
		}
		if invalid := p.Validate(); invalid == nil && err != nil {
			t.Fatalf("Run = %v for a program that Validate accepts\n%v", err, p)
		}
		if p.ConstantAllow(d.Arch, d.Nr) && (err != nil || action != ActionAllow) {
			t.Fatalf("ConstantAllow = true, but Run = %v, %v\n%v", action, err, p)
		}
	})
}
