package policy

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

// TestNumberSet holds that no two calls of an architecture share a place.
func TestNumberSet(t *testing.T) {
	for arch := abi.AMD64; arch <= abi.ARM; arch++ {
		var set numberSet
		for nr, call := range arch.Syscalls() {
			if *set.at(nr) {
				t.Errorf("%v: %s (%#x) has the place of another call", arch, call.Name, nr)
			}
			*set.at(nr) = true
		}
	}
}
