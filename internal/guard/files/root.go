package files

import (
	"sync"

	"github.com/callgate/callgate/internal/sys"
)

// rootFolder is the target's root: opened once, by the first call that needs it,
// since nothing that patterns are kept for may change it.
type rootFolder struct {
	mutex  sync.Mutex
	opened bool
	fd     int
}

// get returns a descriptor, which is not the caller's to close.
func (r *rootFolder) get(open func() (int, error)) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.opened {
		fd, err := open()
		if err != nil {
			return -1, err
		}
		r.fd, r.opened = fd, true
	}
	return r.fd, nil
}

func (r *rootFolder) close() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.opened {
		sys.Close(r.fd)
		r.opened = false
	}
}
