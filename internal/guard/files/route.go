package files

import (
	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
)

// Route has a program leave to the gate the calls that the handler serves, where
// the program lets them, and routes them to it. A call that names a file and that
// the table doesn't have is refused. Where patterns hide nothing, what only reads
// needs no decision of theirs.
func (h *Handler) Route(program filter.Program, arch abi.Arch, mux *gate.Mux) (filter.Program, error) {
	var calls []abi.Sysno
	whole := program
	for number, row := range arch.Syscalls() {
		serve := h.table[row.Name]
		if serve.how == left || serve.how == 0 && !namesFile(row) || !program.ConstantAllow(arch.Audit(), number) {
			continue
		}
		argument, opens := openFlags[row.Name]
		switch {
		case !h.patterns.Hide() && h.Foresee == nil && readers[row.Name]:
			continue
		case !h.patterns.Hide() && h.Foresee == nil && opens:
			var err error
			if whole, err = whole.NotifyFlags(arch, number, argument, changing); err != nil {
				return nil, err
			}
		default:
			calls = append(calls, number)
		}
		mux.Route(row.Name, h)
	}
	return whole.NotifyOf(arch, calls)
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
