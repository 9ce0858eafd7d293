package observe

import (
	"bytes"
	"encoding/binary"
	"io"
)

// loader is the loader that an ELF program names, or "" (elf(5)): the text of its
// segment PT_INTERP. Every architecture that callgate runs on is of 64 bits and
// little-endian. Package debug/elf would bring initialisers to every start.
func loader(file io.ReaderAt, head []byte) string {
	const (
		headerSize, segmentSize = 64, 56
		interpreterSegment      = 3    // PT_INTERP
		most                    = 4096 // of a path
		maxSegments             = 256
	)
	if len(head) < headerSize || !bytes.HasPrefix(head, []byte("\x7fELF\x02\x01")) {
		return ""
	}
	at := int64(binary.LittleEndian.Uint64(head[32:])) // e_phoff
	size, count := binary.LittleEndian.Uint16(head[54:]), binary.LittleEndian.Uint16(head[56:])
	if at < 0 || size != segmentSize || count > maxSegments {
		return ""
	}
	var segment [segmentSize]byte
	for i := range int64(count) {
		if _, err := file.ReadAt(segment[:], at+i*segmentSize); err != nil {
			return ""
		}
		if binary.LittleEndian.Uint32(segment[:]) != interpreterSegment {
			continue
		}
		offset, length := int64(binary.LittleEndian.Uint64(segment[8:])), binary.LittleEndian.Uint64(segment[32:])
		if offset < 0 || length > most {
			return ""
		}
		text := make([]byte, length)
		if _, err := file.ReadAt(text, offset); err != nil {
			return ""
		}
		text, _, _ = bytes.Cut(text, []byte{0})
		return string(text)
	}
	return ""
}
