package guard

import (
	"context"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Unreached has connections pass the gate, where a program lets them, and tells of
// those for which the program's own network has no way: nobody else sees them. They
// go on, and the network refuses them. The judge is made when the first stops.
func Unreached(program filter.Program, arch abi.Arch, judge func() (*policy.Judge, error), mux *gate.Mux, tell func(host string, port uint16)) (filter.Program, error) {
	const call = "connect"
	row, number, ok := arch.Find(call)
	if !ok || mux.Has(call) || !program.ConstantAllow(arch.Audit(), number) {
		return program, nil
	}
	mux.Route(call, gate.HandlerFunc(func(_ context.Context, t *gate.Trap) gate.Verdict {
		host, port := destination(t, row, 1)
		if made, err := judge(); port != 0 && err == nil {
			refusal := Foresee(made)(t)
			if refusal != nil && refusal.Errno == abi.ENETUNREACH {
				tell(host, uint16(port))
			}
		}
		return gate.Continue()
	}))
	return program.NotifyOf(arch, []abi.Sysno{number})
}
