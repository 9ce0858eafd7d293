package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// UnmarshalText reads a port, with '-' before one to take out.
func (p *Port) UnmarshalText(text []byte) error {
	rest, remove := strings.CutPrefix(string(text), "-")
	n, err := strconv.ParseUint(rest, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is not a port: write a number from 0 to 65535", text)
	}
	p.Number, p.Remove = uint16(n), remove
	return nil
}

// MarshalText writes the port.
func (p Port) MarshalText() ([]byte, error) { return number(uint64(p.Number), p.Remove), nil }

// UnmarshalText reads a descriptor, with '-' before one to take out.
func (d *Descriptor) UnmarshalText(text []byte) error {
	rest, remove := strings.CutPrefix(string(text), "-")
	n, err := strconv.ParseUint(rest, 10, 20)
	if err != nil {
		return fmt.Errorf("%q is not a descriptor: write a number from 0", text)
	}
	d.Number, d.Remove = int(n), remove
	return nil
}

// MarshalText writes the descriptor.
func (d Descriptor) MarshalText() ([]byte, error) { return number(uint64(d.Number), d.Remove), nil }

func number(n uint64, remove bool) []byte {
	var b []byte
	if remove {
		b = append(b, '-')
	}
	return strconv.AppendUint(b, n, 10)
}

const sizeUnits = "KMGT"

// UnmarshalText reads a size such as "512M".
func (s *Size) UnmarshalText(text []byte) error {
	digits, shift := string(text), 0
	if n := len(digits); n > 0 {
		if unit := strings.IndexByte(sizeUnits, digits[n-1]); unit >= 0 {
			digits, shift = digits[:n-1], 10*(unit+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a size: write a number of bytes, or one that ends in K, M, G or T", text)
	}
	if n > math.MaxInt64>>shift {
		return fmt.Errorf("%q is too large: a size is below 8 EiB", text)
	}
	*s = Size(n << shift)
	return nil
}

// MarshalText writes the size in the largest unit that is exact.
func (s Size) MarshalText() ([]byte, error) {
	n, unit := uint64(s), ""
	for i := 0; i < len(sizeUnits) && n != 0 && n%1024 == 0; i++ {
		n, unit = n/1024, sizeUnits[i:i+1]
	}
	return append(strconv.AppendUint(nil, n, 10), unit...), nil
}

// UnmarshalText reads a share of processors such as "1.5".
func (c *CPUs) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(f >= 0.001 && f <= 100000) {
		return fmt.Errorf("%q is not a number of processors: write one from 0.001, such as 1.5", text)
	}
	*c = CPUs(math.Round(f * 1000))
	return nil
}

// MarshalText writes the share.
func (c CPUs) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(c)/1000, 'f', -1, 64), nil
}
