// Package gatetest has what tests of the gate need: a Source in memory, and the
// tests that every Source must pass.
package gatetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
)

// Source is a gate.Source whose tasks are goroutines of the test. It is the
// Victim of its own tasks too.
type Source struct {
	memory *memory
	queue  chan *call
	ended  chan struct{}

	mutex   sync.Mutex
	next    uint64
	stopped map[uint64]*call
	files   map[int64]os.FileInfo // descriptors that tasks were given
}

// call is one that a task makes.
type call struct {
	trap   gate.Trap
	answer chan Result
}

// NewSource returns a Source with no calls.
func NewSource() *Source {
	return &Source{
		memory: &memory{}, queue: make(chan *call), ended: make(chan struct{}),
		stopped: map[uint64]*call{}, files: map[int64]os.FileInfo{},
	}
}

// Next is gate.Source's.
func (s *Source) Next(ctx context.Context) (*gate.Trap, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, io.EOF
	case c := <-s.queue:
		return &c.trap, nil
	}
}

// Identify is gate.Identifier's.
func (s *Source) Identify(t *gate.Trap) event.Task {
	return event.Task{PID: 1, TID: t.Task.TID, Program: "task"}
}

// Waits is gate.Waiter's.
func (s *Source) Waits(t *gate.Trap) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, waits := s.stopped[t.ID]
	return waits
}

// Answer is gate.Source's.
func (s *Source) Answer(t *gate.Trap, v gate.Verdict) (int64, error) {
	file, _ := v.File()
	if file != nil {
		defer file.Close()
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	c, ok := s.stopped[t.ID]
	if !ok {
		return 0, gate.ErrGone
	}
	delete(s.stopped, t.ID)
	result, err := s.resultOf(v)
	c.answer <- result
	return result.Value, err
}

// resultOf is what a verdict has the task see.
func (s *Source) resultOf(v gate.Verdict) (Result, error) {
	switch v.Outcome() {
	case event.Allowed:
		return Result{}, nil // the call of a kernel that does nothing
	case event.Emulated:
		return Result{Value: v.Value()}, nil
	case event.Given:
		file, _ := v.File()
		of, ok := file.(*os.File)
		if !ok {
			return Result{Errno: abi.EBADF}, fmt.Errorf("give the task a %T: %w", file, abi.EBADF)
		}
		info, err := of.Stat()
		if err != nil {
			return Result{Errno: abi.EBADF}, err
		}
		fd := int64(len(s.files) + 3)
		s.files[fd] = info
		return Result{Value: fd}, nil
	}
	return Result{Errno: v.Errno()}, nil
}

// Put is Victim's.
func (s *Source) Put(b []byte) uint64 { return s.memory.put(b) }

// Call is Victim's.
func (s *Source) Call(name string, args ...uint64) Result {
	c := s.stop(name, args)
	s.queue <- c
	return <-c.answer
}

// Leave is Victim's.
func (s *Source) Leave(name string, leave <-chan struct{}, args ...uint64) {
	c := s.stop(name, args)
	s.queue <- c
	<-leave
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.stopped, c.trap.ID)
}

// stop makes a call that waits for its answer. One that the architecture of the
// test lacks is a mistake of the test.
func (s *Source) stop(name string, args []uint64) *call {
	number, ok := abi.AMD64.Number(name)
	if !ok {
		panic("gatetest: no call " + name)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.next++
	c := &call{answer: make(chan Result, 1)}
	c.trap = gate.Trap{
		Call: abi.Call{Arch: abi.AMD64, Nr: number}, ID: s.next,
		Task: event.Task{TID: int(s.next)},
	}
	c.trap.Memory = &window{source: s, id: s.next}
	copy(c.trap.Args[:], args)
	s.stopped[s.next] = c
	return c
}

// Holds is Victim's.
func (s *Source) Holds(fd int64, file os.FileInfo) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	info, ok := s.files[fd]
	return ok && os.SameFile(info, file)
}

// End is Victim's.
func (s *Source) End() { close(s.ended) }

// gone reports whether the task of a trap left.
func (s *Source) gone(id uint64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, waits := s.stopped[id]
	return !waits
}
