package files

import (
	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
)

// changers are the calls that change a file which they may have by a descriptor,
// or by its name in /proc/self/fd, whatever that was opened for.
var changers = []string{
	"chmod", "fchmodat", "fchmodat2", "fchmod", "chown", "lchown", "fchownat", "fchown", "truncate", "utime", "utimes", "futimesat", "utimensat",
	"setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "setxattrat", "removexattrat", "file_setattr",
}

// Route has a program leave to the gate the calls that the Lifter and its Handler
// serve, where the program lets them, and routes them, but for those that the Handler
// was routed already. Nothing is lifted where the program lets io_uring be used,
// which opens files past the gate.
func (l *Lifter) Route(program filter.Program, arch abi.Arch, mux *gate.Mux) (filter.Program, error) {
	if setup, ok := arch.Number("io_uring_setup"); ok {
		if action, constant := program.Constant(arch.Audit(), setup); !constant || lets(action) {
			l.handler.lifter = nil
			return program, nil
		}
	}
	whole := program
	var err error
	for _, group := range []struct {
		calls   []string
		handler gate.Handler
	}{{openers, l.handler}, {changers, l.handler}, {lookers, l}} {
		if whole, err = route(whole, program, arch, mux, group.calls, group.handler); err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// route has calls stop where a program lets them, and routes those that have no
// route yet.
func route(whole, program filter.Program, arch abi.Arch, mux *gate.Mux, calls []string, handler gate.Handler) (filter.Program, error) {
	var always, sometimes []abi.Sysno
	for _, name := range calls {
		number, ok := arch.Number(name)
		if !ok || mux.Has(name) {
			continue
		}
		switch action, constant := program.Constant(arch.Audit(), number); {
		case !constant:
			sometimes = append(sometimes, number)
			mux.Route(name, &allowed{program, handler, mux.Otherwise})
		case lets(action):
			always = append(always, number)
			mux.Route(name, handler)
		}
	}
	whole, err := whole.NotifyAllowed(arch, sometimes)
	if err != nil {
		return nil, err
	}
	return whole.NotifyOf(arch, always)
}
