package files

import (
	"context"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
)

// A call whose handling panics, which the gate refuses, keeps no other waiting.
func TestPanicLetsOthersBeServed(t *testing.T) {
	h := &Handler{table: map[string]row{"openat": {how: emulated, serve: func(*call) gate.Verdict { panic("a mistake") }}}}
	number, _ := abi.Native().Number("openat")
	func() {
		defer func() { recover() }()
		h.Handle(context.Background(), &gate.Trap{Call: abi.Call{Arch: abi.Native(), Nr: number}})
		t.Error("Handle() returned")
	}()
	if !h.names.TryLock() {
		t.Error("the handler is locked for ever")
	}
}
