package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/callgate/callgate/abi"
)

func FuzzParseHow(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, howSize))
	f.Add(append(make([]byte, howSize), 0, 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := parseHow(raw)
		switch {
		case len(raw) < howSize:
			if !errors.Is(err, abi.EINVAL) {
				t.Errorf("%d bytes: %v; want EINVAL", len(raw), err)
			}
		case len(bytes.Trim(raw[howSize:], "\x00")) > 0:
			if !errors.Is(err, abi.E2BIG) {
				t.Errorf("something after what is known: %v; want E2BIG", err)
			}
		default:
			var again [howSize]byte
			binary.LittleEndian.PutUint64(again[:], h.flags)
			binary.LittleEndian.PutUint64(again[8:], h.mode)
			binary.LittleEndian.PutUint64(again[16:], h.resolve)
			if err != nil || !bytes.Equal(again[:], raw[:howSize]) {
				t.Errorf("%x is read as %+v, %v", raw, h, err)
			}
		}
	})
}
