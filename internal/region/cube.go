package region

import "math/bits"

// Cube is the set of registers in which the bits of Mask have the values of
// Value; the other bits are free. Value has no bits outside Mask. The zero Cube
// is all registers.
type Cube struct{ Mask, Value [6]uint64 }

// Contains reports whether registers lie in the cube.
func (c Cube) Contains(args [6]uint64) bool {
	for i := range args {
		if args[i]&c.Mask[i] != c.Value[i] {
			return false
		}
	}
	return true
}

// and returns what lies in both cubes, or false if nothing does.
func (c Cube) and(d Cube) (Cube, bool) {
	for i := range c.Mask {
		if (c.Value[i]^d.Value[i])&c.Mask[i]&d.Mask[i] != 0 {
			return Cube{}, false
		}
		c.Mask[i] |= d.Mask[i]
		c.Value[i] |= d.Value[i]
	}
	return c, true
}

// appendMinus appends what lies in c and not in d, as cubes that share nothing:
// one for each bit that d fixes and c leaves free, from the highest down.
func (c Cube) appendMinus(to Set, d Cube) Set {
	if _, meet := c.and(d); !meet {
		return append(to, c)
	}
	for i := range c.Mask {
		for free := d.Mask[i] &^ c.Mask[i]; free != 0; {
			bit := uint64(1) << (bits.Len64(free) - 1)
			free &^= bit
			c.Mask[i] |= bit
			outside := c
			outside.Value[i] |= bit &^ d.Value[i]
			to = append(to, outside)
			c.Value[i] |= bit & d.Value[i]
		}
	}
	return to
}

// within reports whether c lies in d wholly.
func (c Cube) within(d Cube) bool {
	for i := range c.Mask {
		if d.Mask[i]&^c.Mask[i] != 0 || c.Value[i]&d.Mask[i] != d.Value[i] {
			return false
		}
	}
	return true
}
