package gate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
)

// What a call came to is told as it was: an error of its own, or a refusal.
func TestDone(t *testing.T) {
	for _, c := range []struct {
		err     error
		outcome event.Outcome
		value   int64
		fails   abi.Errno
	}{
		{nil, event.Emulated, 0, 0},
		{abi.ENOENT, event.Emulated, -int64(abi.ENOENT), 0},
		{fmt.Errorf("open: %w", abi.EROFS), event.Emulated, -int64(abi.EROFS), 0},
		{&gate.Refusal{Errno: abi.EACCES}, event.Refused, 0, abi.EACCES},
		{gate.ErrGone, event.Refused, 0, abi.ErrnoOf(gate.ErrGone)},
		{errors.New("a mistake"), event.Emulated, -int64(abi.EIO), 0},
	} {
		v := gate.Done(c.err)
		if v.Outcome() != c.outcome || v.Outcome() == event.Emulated && v.Value() != c.value || c.fails != 0 && v.Errno() != c.fails {
			t.Errorf("Done(%v) is %v, %d, %v", c.err, v.Outcome(), v.Value(), v.Errno())
		}
	}
}

// Only the error that is foreseen becomes a refusal.
func TestExplained(t *testing.T) {
	foresee := func(*gate.Trap) *gate.Refusal { return &gate.Refusal{Errno: abi.EROFS} }
	for _, c := range []struct {
		verdict gate.Verdict
		foresee func(*gate.Trap) *gate.Refusal
		want    event.Outcome
	}{
		{gate.Error(abi.EROFS), foresee, event.Refused},
		{gate.Error(abi.ENOENT), foresee, event.Emulated},
		{gate.Error(abi.EROFS), nil, event.Emulated},
		{gate.Error(abi.EROFS), func(*gate.Trap) *gate.Refusal { return nil }, event.Emulated},
		{gate.Return(0), foresee, event.Emulated},
		{gate.Continue(), foresee, event.Allowed},
	} {
		if got := c.verdict.Explained(&gate.Trap{}, c.foresee); got.Outcome() != c.want {
			t.Errorf("%+v is explained as %v; want %v", c.verdict, got.Outcome(), c.want)
		}
	}
}
