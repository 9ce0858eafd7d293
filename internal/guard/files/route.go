package files

import (
	"context"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
)

// Route has a program leave to the gate the calls that the handler serves, where
// the program lets them, and routes them to it. A call that names a file and that
// the table doesn't have is refused. Where patterns hide nothing, what only reads
// needs no decision of theirs. What the program refuses it still refuses, or leaves
// to the Mux's Otherwise.
func (h *Handler) Route(program filter.Program, arch abi.Arch, mux *gate.Mux) (filter.Program, error) {
	var always, sometimes []abi.Sysno
	whole := program
	for number, row := range arch.Syscalls() {
		serve := h.table[row.Name]
		if serve.how == left || serve.how == 0 && !namesFile(row) {
			continue
		}
		action, constant := program.Constant(arch.Audit(), number)
		argument, opens := openFlags[row.Name]
		switch reading := !h.patterns.Hide() && h.Foresee == nil && h.lifter == nil; {
		case constant && !lets(action), reading && readers[row.Name]:
			continue
		case !constant:
			sometimes = append(sometimes, number)
			mux.Route(row.Name, &allowed{program, h, mux.Otherwise})
			continue
		case reading && opens:
			var err error
			if whole, err = whole.NotifyFlags(arch, number, argument, changing); err != nil {
				return nil, err
			}
		default:
			always = append(always, number)
		}
		mux.Route(row.Name, h)
	}
	whole, err := whole.NotifyAllowed(arch, sometimes)
	if err != nil {
		return nil, err
	}
	return whole.NotifyOf(arch, always)
}

// lets reports whether the kernel runs a call for which a program returns this.
func lets(action filter.Action) bool {
	return action.Kind() == filter.ActionAllow || action.Kind() == filter.ActionLog
}

// allowed handles a call with those arguments with which a program lets it; with
// others it may stop for somebody else.
type allowed struct {
	program   filter.Program
	handler   gate.Handler
	otherwise gate.Handler // nil refuses
}

// Handle is gate.Handler's.
func (a *allowed) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	action, _, err := a.program.Run(filter.DataOf(t.Call))
	switch {
	case err == nil && lets(action):
		return a.handler.Handle(ctx, t)
	case err == nil && a.otherwise != nil:
		return a.otherwise.Handle(ctx, t)
	}
	return gate.Fail(abi.EPERM)
}

// namesFile reports whether a call has a path among its arguments.
func namesFile(row *abi.Syscall) bool {
	for i := range row.Args {
		if row.Args[i].Kind == abi.KindPath {
			return true
		}
	}
	return false
}

// RouteAllowed has a program leave calls to the gate where the program lets them,
// with whichever arguments, and routes them to a handler.
func RouteAllowed(program filter.Program, arch abi.Arch, mux *gate.Mux, handler gate.Handler, calls ...string) (filter.Program, error) {
	var always, sometimes []abi.Sysno
	for _, name := range calls {
		_, number, ok := arch.Find(name)
		switch action, constant := program.Constant(arch.Audit(), number); {
		case !ok || constant && !lets(action):
		case constant:
			always = append(always, number)
			mux.Route(name, handler)
		default:
			sometimes = append(sometimes, number)
			mux.Route(name, &allowed{program, handler, mux.Otherwise})
		}
	}
	whole, err := program.NotifyAllowed(arch, sometimes)
	if err != nil {
		return nil, err
	}
	return whole.NotifyOf(arch, always)
}
