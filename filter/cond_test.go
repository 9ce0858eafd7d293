package filter

import (
	"math"
	"testing"
)

const minus1 = math.MaxUint64

func TestCondHolds(t *testing.T) {
	type values = []uint64
	tests := []struct {
		name      string
		cond      Cond
		yes, fail values
	}{
		{"equal", Cond{Op: Equal, Values: values{1}}, values{1}, values{0, 2, 1<<32 + 1}},
		{"equal high", Cond{Op: Equal, Values: values{1 << 32}}, values{1 << 32}, values{0, 1, 1<<32 + 1}},
		{"equal 32", Cond{Op: Equal, Values: values{1}, Bits: 32}, values{1, 1<<32 + 1}, values{0, 2, 1 << 32}},
		{"equal 32 extended", Cond{Op: Equal, Values: values{minus1}, Bits: 32}, values{minus1, math.MaxUint32}, values{0, minus1 - 1}},
		{"not equal", Cond{Op: NotEqual, Values: values{1}}, values{0, 2, 1<<32 + 1}, values{1}},
		{"not equal 32", Cond{Op: NotEqual, Values: values{1}, Bits: 32}, values{0, 2, 1 << 32}, values{1, 1<<32 + 1}},
		{"less", Cond{Op: Less, Values: values{1 << 32}}, values{0, math.MaxUint32}, values{1 << 32, minus1}},
		{"less signed", Cond{Op: Less, Values: values{1}, Signed: true}, values{0, minus1, 1 << 63}, values{1, 1<<63 - 1}},
		{"less equal", Cond{Op: LessEqual, Values: values{1 << 32}}, values{0, 1 << 32}, values{1<<32 + 1, minus1}},
		{"greater", Cond{Op: Greater, Values: values{1 << 32}}, values{1<<32 + 1, minus1}, values{0, 1 << 32}},
		{"greater signed", Cond{Op: Greater, Values: values{minus1}, Signed: true}, values{0, 1<<63 - 1}, values{minus1, 1 << 63}},
		{"greater equal", Cond{Op: GreaterEqual, Values: values{1 << 32}}, values{1 << 32, minus1}, values{0, math.MaxUint32}},
		{
			"greater equal signed 32",
			Cond{Op: GreaterEqual, Values: values{minus1}, Signed: true, Bits: 32},
			values{0, math.MaxUint32, 1<<31 - 1, 1<<32 | 5},
			values{1 << 31, 1<<32 - 2},
		},
		{"masked", Cond{Op: MaskedEqual, Mask: 0xf0, Values: values{0x30}}, values{0x30, 0x3f, 1<<40 | 0x31}, values{0, 0x70, 0x20}},
		{"masked high", Cond{Op: MaskedEqual, Mask: 1<<40 | 1, Values: values{1 << 40}}, values{1 << 40, 3 << 40}, values{0, 1<<40 | 1, 1}},
		{"masked 32", Cond{Op: MaskedEqual, Mask: minus1, Values: values{7}, Bits: 32}, values{7, 1<<32 | 7}, values{6, 7 << 1}},
		{"range", Cond{Op: Range, Values: values{5, 1 << 32}}, values{5, math.MaxUint32, 1 << 32}, values{4, 1<<32 + 1}},
		{"range signed", Cond{Op: Range, Values: values{minus1 - 1, 1}, Signed: true}, values{minus1 - 1, minus1, 0, 1}, values{minus1 - 2, 2}},
		{"set", Cond{Op: In, Values: values{9, 3, 1 << 33}}, values{3, 9, 1 << 33}, values{0, 4, 2 << 33}},
	}
	for _, test := range tests {
		for i, list := range []values{test.fail, test.yes} {
			for _, v := range list {
				if got := test.cond.Holds([6]uint64{v}); got != (i == 1) {
					t.Errorf("%s: Holds(%#x) = %v; want %v", test.name, v, got, i == 1)
				}
			}
		}
	}
}

func TestCondCheck(t *testing.T) {
	type values = []uint64
	tests := []struct {
		cond Cond
		want string
	}{
		{Cond{}, "comparison 0 is unknown"},
		{Cond{Op: In + 1, Values: values{1}}, "comparison 10 is unknown"},
		{Cond{Op: Equal, Arg: 6, Values: values{1}}, "argument 6: a call has arguments 0 to 5"},
		{Cond{Op: Equal, Arg: -1, Values: values{1}}, "argument -1: a call has arguments 0 to 5"},
		{Cond{Op: Equal, Bits: 16, Values: values{1}}, "16 bits: want 32 or 64"},
		{Cond{Op: Equal}, "0 values: a comparison has one"},
		{Cond{Op: Less, Values: values{1, 2}}, "2 values: a comparison has one"},
		{Cond{Op: Range, Values: values{1}}, "1 values: a range has two, low and high"},
		{Cond{Op: Range, Values: values{2, 1}}, "range from 0x2 to 0x1 is empty: low comes first"},
		{Cond{Op: Range, Values: values{1, minus1}, Signed: true}, "range from 0x1 to 0xffffffffffffffff is empty: low comes first"},
		{Cond{Op: In}, "no values: a set has at least one"},
		{Cond{Op: Equal, Values: values{1 << 32}, Bits: 32}, "value 0x100000000 is wider than 32 bits and would never match: compare 64 bits"},
		{Cond{Op: Equal, Values: values{1}, Mask: 3}, "mask 0x3: only a masked comparison has one"},
		{Cond{Op: MaskedEqual, Values: values{0}}, "mask 0 leaves nothing to compare"},
		{Cond{Op: MaskedEqual, Values: values{4}, Mask: 3}, "value 0x4 has bits outside mask 0x3 and would never match"},
		{Cond{Op: MaskedEqual, Values: values{0}, Mask: 1 << 32, Bits: 32}, "mask 0x100000000 is wider than 32 bits: compare 64 bits"},
		{Cond{Op: Less, Values: values{0}}, "no number is on that side of 0x0: it would never match"},
		{Cond{Op: Greater, Values: values{1<<63 - 1}, Signed: true}, "no number is on that side of 0x7fffffffffffffff: it would never match"},
	}
	for _, test := range tests {
		if err := test.cond.Check(); err == nil || err.Error() != test.want {
			t.Errorf("Check(%+v) = %v; want %q", test.cond, err, test.want)
		}
		if test.cond.Holds([6]uint64{}) {
			t.Errorf("Holds(%+v) = true; want false for an invalid condition", test.cond)
		}
	}
}
