package region

import (
	"math/bits"

	"github.com/callgate/callgate/filter"
)

// Of returns the registers for which all conditions hold.
func Of(conds []filter.Cond) (Set, error) {
	set := All()
	for _, c := range conds {
		if err := c.Check(); err != nil {
			return nil, err
		}
		var err error
		if set, err = set.And(of(c)); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// of returns the registers for which one condition holds.
func of(c filter.Cond) Set {
	limit := ^uint64(0)
	if c.Bits == 32 {
		limit = 1<<32 - 1
	}
	var set Set
	add := func(mask, value uint64) {
		var cube Cube
		cube.Mask[c.Arg], cube.Value[c.Arg] = mask&limit, value&mask&limit
		set = append(set, cube)
	}
	switch c.Op {
	case filter.MaskedEqual:
		add(c.Mask, c.Values[0])
	case filter.Equal, filter.In:
		for _, v := range c.Values {
			add(limit, v)
		}
	case filter.NotEqual:
		return notEqual(c.Arg, c.Values[0], limit)
	default:
		for _, i := range intervals(c, limit) {
			blocks(i[0], i[1], limit, add)
		}
	}
	return set
}

// notEqual returns the registers that differ from v in a bit of limit.
func notEqual(arg int, v, limit uint64) Set {
	var one Cube
	one.Mask[arg], one.Value[arg] = limit, v&limit
	return Cube{}.appendMinus(nil, one)
}

// intervals returns the unsigned numbers, low to high, that an order comparison
// holds for.
func intervals(c filter.Cond, limit uint64) [][2]uint64 {
	// Adding half the range turns the signed order into the unsigned one.
	var half uint64
	if c.Signed {
		half = limit/2 + 1
	}
	low, high := uint64(0), limit
	first := c.Values[0]&limit ^ half
	switch c.Op {
	case filter.Less:
		high = first - 1
	case filter.LessEqual:
		high = first
	case filter.Greater:
		low = first + 1
	case filter.GreaterEqual:
		low = first
	case filter.Range:
		low, high = first, c.Values[1]&limit^half
	}
	if low < half && high >= half {
		return [][2]uint64{{low ^ half, limit}, {0, high ^ half}}
	}
	return [][2]uint64{{low ^ half, high ^ half}}
}

// blocks calls add for each of the aligned blocks, of a power of two, that
// together are the numbers from low to high.
func blocks(low, high, limit uint64, add func(mask, value uint64)) {
	for {
		size := bits.TrailingZeros64(low | 1<<63)
		if low == 0 {
			size = bits.Len64(limit)
		}
		for size > 0 && low|(1<<size-1) > high {
			size--
		}
		free := uint64(1)<<size - 1
		add(^free, low)
		if low|free >= high {
			return
		}
		low = low | free + 1
	}
}
