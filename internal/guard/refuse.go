// Package guard decides what a filter can't, and tells what was refused. Its
// handlers answer the gate; its taps keep what a person will want to know.
package guard

import (
	"context"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
)

// Refuse makes the refusals of a seccomp program pass the gate: it returns the
// program with each errno exchanged for a notification, and the handler that
// gives the errno. What the program allows or kills does not come by.
func Refuse(program filter.Program) (filter.Program, gate.Handler) {
	stopping := program.MapActions(func(a filter.Action) filter.Action {
		if a.Kind() == filter.ActionErrno && a.Data() != 0 { // 0 is a call that seems to work
			return filter.ActionNotify
		}
		return a
	})
	return stopping, gate.HandlerFunc(func(_ context.Context, t *gate.Trap) gate.Verdict {
		action, _, err := program.Run(filter.DataOf(t.Call))
		if err != nil || action.Kind() != filter.ActionErrno {
			return gate.Verdict{} // not one of the calls that were stopped
		}
		return gate.Fail(abi.Errno(action.Data()))
	})
}
