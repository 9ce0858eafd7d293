package gatetest

import (
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// memory is an address space in which what is put ends with a page, and the next
// page is not there.
type memory struct {
	mutex sync.Mutex
	parts []part
}

type part struct {
	address uint64
	bytes   []byte
}

const page = 4096

func (m *memory) put(b []byte) uint64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	end := uint64(page)
	if n := len(m.parts); n > 0 {
		last := m.parts[n-1]
		end = last.address + uint64(len(last.bytes)) + page // a page that is not there
	}
	start := end
	end += (uint64(len(b)) + page - 1) / page * page
	address := end - uint64(len(b))
	whole := make([]byte, end-start) // what a page holds before
	copy(whole[address-start:], b)
	m.parts = append(m.parts, part{start, whole})
	return address
}

// at returns the bytes from an address to the end of what is there.
func (m *memory) at(address uint64) []byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, p := range m.parts {
		if address >= p.address && address-p.address < uint64(len(p.bytes)) {
			return p.bytes[address-p.address:]
		}
	}
	return nil
}

// window is the memory as a trap sees it.
type window struct {
	source *Source
	id     uint64
}

var _ gate.Memory = (*window)(nil)

// ReadAt is io.ReaderAt's.
func (w *window) ReadAt(p []byte, address int64) (int, error) {
	return w.access(len(p), address, func(there []byte) int { return copy(p, there) })
}

// WriteAt is io.WriterAt's.
func (w *window) WriteAt(p []byte, address int64) (int, error) {
	return w.access(len(p), address, func(there []byte) int { return copy(there, p) })
}

func (w *window) access(want int, address int64, do func([]byte) int) (int, error) {
	if w.source.gone(w.id) {
		return 0, gate.ErrGone
	}
	n := do(w.source.memory.at(uint64(address)))
	if n < want {
		return n, abi.EFAULT
	}
	return n, nil
}
