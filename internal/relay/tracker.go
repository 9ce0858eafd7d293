package relay

import (
	"io"
	"sync"
	"time"
)

// tracker closes what is open when the relay ends.
type tracker struct {
	mutex sync.Mutex
	open  map[io.Closer]struct{}
	done  chan struct{}
}

func newTracker() *tracker {
	return &tracker{open: map[io.Closer]struct{}{}, done: make(chan struct{})}
}

// add is false when the relay has ended.
func (t *tracker) add(c io.Closer) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.open == nil {
		return false
	}
	t.open[c] = struct{}{}
	return true
}

// remove closes what is no longer needed.
func (t *tracker) remove(c io.Closer) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	delete(t.open, c)
	c.Close()
}

// close closes all. It may be called once.
func (t *tracker) close() error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	close(t.done)
	for c := range t.open {
		c.Close()
	}
	t.open = nil
	return nil
}

// acquire waits for a token, or is false when the relay ends before.
func (t *tracker) acquire(tokens chan struct{}) bool {
	select {
	case tokens <- struct{}{}:
		return true
	case <-t.done:
		return false
	}
}

// acquireNow takes a token if there is one.
func (t *tracker) acquireNow(tokens chan struct{}) bool {
	select {
	case tokens <- struct{}{}:
		return true
	default:
		return false
	}
}

// pause keeps a loop from spinning on an error that lasts.
func (t *tracker) pause() {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-t.done:
	}
}

// senders counts what is to come to an end by itself.
type senders struct {
	mutex sync.Mutex
	count int
	none  chan struct{} // closed when there are none, once somebody waits
}

func (s *senders) begin() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.count++
}

func (s *senders) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.count--; s.count == 0 && s.none != nil {
		close(s.none)
		s.none = nil
	}
}

// wait waits until there are none, but no longer than patience.
func (s *senders) wait(patience time.Duration) {
	s.mutex.Lock()
	if s.count == 0 {
		s.mutex.Unlock()
		return
	}
	none := make(chan struct{})
	s.none = none
	s.mutex.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-none:
	case <-timer.C:
	}
}
