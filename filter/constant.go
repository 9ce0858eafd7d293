package filter

import "github.com/callgate/callgate/abi"

// ConstantAllow says whether the kernel (5.11 or later) finds, when it loads
// the program, that the call is allowed whatever its arguments, and then
// allows it without running the program. The kernel keeps such a bitmap only
// for its native architecture and one compatible one (i386 on amd64, arm on
// arm64), and for numbers below that architecture's count of calls.
func (p Program) ConstantAllow(arch uint32, nr abi.Sysno) bool {
	action, constant := p.Constant(arch, nr)
	return constant && action == ActionAllow
}

// Constant returns what becomes of a call whatever its arguments, where that can be
// told without them. It finds out as seccomp_is_const_allow in kernel/seccomp.c
// does, which follows loads of the number and architecture and gives up at
// anything it doesn't know.
func (p Program) Constant(arch uint32, nr abi.Sysno) (action Action, constant bool) {
	var a uint32
	for pc := 0; pc < len(p); pc++ {
		ins := p[pc]
		switch ins.Code {
		case opLoad:
			switch ins.K {
			case offNr:
				a = uint32(nr)
			case offArch:
				a = arch
			default:
				return 0, false
			}
		case opRet:
			return Action(ins.K), true
		case opJA:
			if int64(ins.K) > int64(len(p)-pc) {
				return 0, false
			}
			pc += int(ins.K)
		case opJEQ, opJGE, opJGT, opJSET:
			pc += ins.skip(a, ins.K)
		case opAnd:
			a &= ins.K
		default:
			return 0, false
		}
	}
	return 0, false
}
