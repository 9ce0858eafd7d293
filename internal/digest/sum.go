package digest

import (
	"encoding/binary"
)

const blockSize = 64 // bytes

// Sum returns the digest of the data.
func Sum(data []byte) (d Digest) {
	s := state{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}
	whole := len(data) / blockSize * blockSize
	for at := 0; at < whole; at += blockSize {
		s.mix((*[blockSize]byte)(data[at:]))
	}
	// The rest, a one bit, zeros, and the length in bits: one block, or two.
	var end [2 * blockSize]byte
	n := copy(end[:], data[whole:])
	end[n] = 0x80
	size := blockSize
	if n+1+8 > blockSize {
		size = 2 * blockSize
	}
	binary.BigEndian.PutUint64(end[size-8:], uint64(len(data))*8)
	for at := 0; at < size; at += blockSize {
		s.mix((*[blockSize]byte)(end[at:]))
	}
	for i, word := range s {
		binary.BigEndian.PutUint32(d[4*i:], word)
	}
	return d
}
