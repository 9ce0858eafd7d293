package relay

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"
)

// query is a message to the resolver (RFC 1035, 4.1): its header, and its question
// if there is one that can be read.
type query struct {
	header   [headerSize]byte
	question []byte // as it came: name, type and class; nil for none
	name     string // without the dot at its end
	kind     uint16
	class    uint16
}

const (
	headerSize = 12
	queryName  = 255 // bytes of a name at most, with the lengths of its parts
	queryLabel = 63  // bytes of a part
	isResponse = 0x80
	wantsMore  = 0x01 // recursion desired
	givesMore  = 0x80 // recursion available
	operation  = 0x78
	typeA      = 1
	typeAAAA   = 28
	classIN    = 1
	nameBefore = 0xc00c // a pointer to the question's name
)

// Response codes (RFC 1035, 4.1.1).
const (
	codeFine           = 0
	codeFormat         = 1
	codeFailure        = 2
	codeNoName         = 3
	codeNotImplemented = 4
)

// readQuery reads a message; it is false for one that gets no answer. The code is
// that of a message that can't be answered in earnest.
func readQuery(message []byte) (q query, code byte, ok bool) {
	if len(message) < headerSize || message[2]&isResponse != 0 {
		return q, 0, false
	}
	copy(q.header[:], message)
	if q.header[2]&operation != 0 {
		return q, codeNotImplemented, true
	}
	if questions := binary.BigEndian.Uint16(message[4:]); questions != 1 || !q.readQuestion(message[headerSize:]) {
		return q, codeFormat, true
	}
	return q, codeFine, true
}

// readQuestion reads a name, whose parts each follow their length, and what is
// asked of it. A name in a question has nothing to point to.
func (q *query) readQuestion(text []byte) bool {
	var name []byte
	at := 0
	for {
		if at >= len(text) || at >= queryName {
			return false
		}
		size := int(text[at])
		at++
		if size == 0 {
			break
		}
		if size > queryLabel || at+size > len(text) || bytes.IndexByte(text[at:at+size], '.') >= 0 {
			return false
		}
		if name != nil {
			name = append(name, '.')
		}
		name = append(name, text[at:at+size]...)
		at += size
	}
	const rest = 4 // type and class
	if at > queryName || at+rest > len(text) {
		return false
	}
	q.name, q.question = string(name), text[:at+rest]
	q.kind, q.class = binary.BigEndian.Uint16(text[at:]), binary.BigEndian.Uint16(text[at+2:])
	return true
}

// answer is the answer with a code, and with an address that holds for a while
// unless it is the zero Addr.
func (q *query) answer(code byte, address netip.Addr, life time.Duration) []byte {
	out := make([]byte, headerSize, headerSize+len(q.question)+2*16)
	copy(out, q.header[:2]) // whose it is
	out[2] = isResponse | q.header[2]&(operation|wantsMore)
	out[3] = givesMore | code
	if q.question == nil {
		return out
	}
	out[5] = 1 // question
	out = append(out, q.question...)
	if !address.IsValid() {
		return out
	}
	out[7] = 1 // answer
	out = binary.BigEndian.AppendUint16(out, nameBefore)
	kind := uint16(typeA)
	if address.Is6() {
		kind = typeAAAA
	}
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, classIN)
	out = binary.BigEndian.AppendUint32(out, uint32(life.Seconds()))
	out = binary.BigEndian.AppendUint16(out, uint16(address.BitLen()/8))
	return append(out, address.AsSlice()...)
}
