// Package guard decides what a filter can't, and tells what was refused. Its
// handlers answer the gate; its taps keep what a person will want to know.
package guard

import (
	"context"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Refuse makes the refusals of an architecture's seccomp program pass the gate: it
// returns the program with each errno exchanged for a notification, and the
// handler that gives the errno, with the policy's reason. What the program allows
// or kills does not come by.
func Refuse(program filter.Program, arch abi.Arch, judge *policy.Judge) (filter.Program, gate.Handler) {
	stopping := stop(program, func(errno abi.Errno) bool { return errno != 0 }) // 0 is a call that seems to work
	return stopping, refuse(program, func(t *gate.Trap) event.Why {
		copyTexts(t)
		return reason(t.Call, arch, judge)
	})
}

// Count is Refuse for whoever only wants to know that a call was refused: it gives
// no reason. What the program makes seem to be missing (ENOSYS) stays in the
// kernel: libraries try such calls, and do without them.
func Count(program filter.Program) (filter.Program, gate.Handler) {
	stopping := stop(program, func(errno abi.Errno) bool { return errno != 0 && errno != abi.ENOSYS })
	return stopping, refuse(program, func(t *gate.Trap) event.Why {
		copyTexts(t)
		return event.Why{Wall: policy.WallSeccomp}
	})
}

// Askable is Refuse for questions: a call may be asked about whose reason is known,
// and what seems to be missing (ENOSYS) stays in the kernel. The judge is made
// when the first call stops.
func Askable(program filter.Program, arch abi.Arch, judge func() (*policy.Judge, error)) (filter.Program, gate.Handler) {
	stopping := stop(program, func(errno abi.Errno) bool { return errno != 0 && errno != abi.ENOSYS })
	return stopping, refuse(program, func(t *gate.Trap) event.Why {
		made, err := judge()
		if err != nil {
			return event.Why{Text: err.Error(), Wall: policy.WallSeccomp}
		}
		return reason(t.Call, arch, made)
	})
}

// stop exchanges the errnos of a program that are picked for notifications.
func stop(program filter.Program, picked func(abi.Errno) bool) filter.Program {
	return program.MapActions(func(a filter.Action) filter.Action {
		if a.Kind() == filter.ActionErrno && picked(abi.Errno(a.Data())) {
			return filter.ActionNotify
		}
		return a
	})
}

// refuse is the handler that gives the errno that the program would have given.
func refuse(program filter.Program, why func(*gate.Trap) event.Why) gate.Handler {
	return gate.HandlerFunc(func(_ context.Context, t *gate.Trap) gate.Verdict {
		action, _, err := program.Run(filter.DataOf(t.Call))
		if err != nil || action.Kind() != filter.ActionErrno {
			return gate.Verdict{} // not one of the calls that were stopped
		}
		return gate.Fail(&gate.Refusal{Errno: abi.Errno(action.Data()), Why: why(t), Lift: proceed})
	})
}

// proceed has the kernel run a call as its registers are.
func proceed(bool) gate.Verdict { return gate.Continue() }

// copyTexts has whoever is told of the call see the texts and addresses that it
// names. Nothing is decided by them.
func copyTexts(t *gate.Trap) {
	row, ok := t.Syscall()
	for i := 0; ok && i < len(row.Args); i++ {
		switch kind := row.Args[i].Kind; {
		case (kind == abi.KindPath || kind == abi.KindString) && t.Args[i] != 0:
			_, _ = t.Path(i) // else its address is told
		case kind == abi.KindSockaddr:
			copyAddress(t, row, i)
		}
	}
}

// reason asks the policy about the registers of a call that its filter refuses.
func reason(call abi.Call, arch abi.Arch, judge *policy.Judge) event.Why {
	row, ok := call.Syscall()
	if !ok || call.Arch != arch {
		return event.Why{Text: "no call that the policy knows", Wall: policy.WallSeccomp}
	}
	answer, err := judge.Decide(policy.Question{Call: row.Name, Args: registers(row, call.Args)})
	if err != nil || answer.Action.Lets() {
		return event.Why{Text: "the filter refuses it", Wall: policy.WallSeccomp}
	}
	return whyOf(answer)
}
