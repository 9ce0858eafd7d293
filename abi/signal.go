package abi

import (
	"fmt"
	"strconv"
	"strings"
)

// Signal is a signal's number, from 1 to 64.
type Signal uint8

// The kernel's first and last real-time signals. C libraries keep the first
// two or three for themselves.
const (
	firstRealTime Signal = 32
	lastRealTime  Signal = 64
)

// String is the C name ("SIGKILL"), "SIGRT_3" for the third real-time signal
// after the kernel's first, or "signal 99".
func (s Signal) String() string {
	for name, value := range setSignal.Values(AMD64) { // the same on all architectures here
		if value == uint64(s) {
			return name
		}
	}
	if s >= firstRealTime && s <= lastRealTime {
		return fmt.Sprintf("SIGRT_%d", s-firstRealTime)
	}
	return fmt.Sprintf("signal %d", uint8(s))
}

// ParseSignal reads what String writes, second names (SIGIOT), names without
// SIG, and numbers from 1 to 64.
func ParseSignal(text string) (Signal, bool) {
	if number, err := strconv.ParseUint(text, 10, 8); err == nil {
		return Signal(number), number >= 1 && Signal(number) <= lastRealTime
	}
	name := strings.TrimPrefix(text, "SIG")
	if offset, found := strings.CutPrefix(name, "RT_"); found {
		number, err := strconv.ParseUint(offset, 10, 8)
		signal := firstRealTime + Signal(number)
		return signal, err == nil && number <= uint64(lastRealTime-firstRealTime)
	}
	for have, value := range setSignal.Values(AMD64) {
		if have == "SIG"+name {
			return Signal(value), true
		}
	}
	return 0, false
}
