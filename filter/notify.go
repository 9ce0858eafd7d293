package filter

import "github.com/callgate/callgate/abi"

// NotifyOf returns the program with the given calls of an architecture left to a
// listener, whatever the program itself makes of them. At most 250 calls fit.
func (p Program) NotifyOf(arch abi.Arch, calls []abi.Sysno) (Program, error) {
	if len(calls) == 0 {
		return p, nil
	}
	if len(calls) > 250 {
		return nil, &SizeError{Instructions: len(p) + len(calls)}
	}
	n := uint8(len(calls))
	first := Program{
		{Code: opLoad, K: offArch},
		{Code: opJEQ, Jf: n + 2, K: arch.Audit()},
		{Code: opLoad, K: offNr},
	}
	for i, call := range calls {
		last := uint8(0)
		if i == len(calls)-1 {
			last = 1 // over the notification
		}
		first = append(first, Instruction{Code: opJEQ, Jt: n - 1 - uint8(i), Jf: last, K: uint32(call)})
	}
	first = append(first, Instruction{Code: opRet, K: uint32(ActionNotify)})
	whole := append(first, p...)
	return whole, whole.Validate()
}

// NotifyFlags returns the program with a call of an architecture exchanged for a
// notification where one of these flags stands in the lower half of an argument,
// counted from 0. The error is that of a program that becomes too long.
func (p Program) NotifyFlags(arch abi.Arch, call abi.Sysno, arg int, flags uint32) (Program, error) {
	first := Program{
		{Code: opLoad, K: offArch},
		{Code: opJEQ, Jf: 5, K: arch.Audit()},
		{Code: opLoad, K: offNr},
		{Code: opJEQ, Jf: 3, K: uint32(call)},
		{Code: opLoad, K: offLow(arg)},
		{Code: opJSET, Jf: 1, K: flags},
		{Code: opRet, K: uint32(ActionNotify)},
	}
	whole := append(first, p...)
	return whole, whole.Validate()
}

// NotifyAllowed returns the program with these calls of an architecture exchanged
// for notifications where the program lets them, with whichever arguments, and as
// they were where it doesn't. The error is that of a program that becomes too long,
// which is longer than twice this one.
func (p Program) NotifyAllowed(arch abi.Arch, calls []abi.Sysno) (Program, error) {
	if len(calls) == 0 {
		return p, nil
	}
	if len(calls) > 250 {
		return nil, &SizeError{Instructions: 2*len(p) + len(calls)}
	}
	n := uint8(len(calls))
	whole := Program{
		{Code: opLoad, K: offArch},
		{Code: opJEQ, Jf: n + 2, K: arch.Audit()},
		{Code: opLoad, K: offNr},
	}
	for i, call := range calls {
		last := uint8(0)
		if i == len(calls)-1 {
			last = 1 // over the jump
		}
		whole = append(whole, Instruction{Code: opJEQ, Jt: n - 1 - uint8(i), Jf: last, K: uint32(call)})
	}
	whole = append(whole, Instruction{Code: opJA, K: uint32(len(p))})
	whole = append(whole, p...)
	whole = append(whole, p.MapActions(func(a Action) Action {
		if a.Kind() == ActionAllow || a.Kind() == ActionLog {
			return ActionNotify
		}
		return a
	})...)
	return whole, whole.Validate()
}
