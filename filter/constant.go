package filter

import "github.com/callgate/callgate/abi"

// ConstantAllow says whether the kernel (5.11 or later) finds, when it loads
// the program, that the call is allowed whatever its arguments, and then
// allows it without running the program. It does as seccomp_is_const_allow in
// kernel/seccomp.c, which follows loads of the number and architecture and
// gives up at anything it doesn't know. The kernel keeps such a bitmap only
// for its native architecture and one compatible one (i386 on amd64, arm on
// arm64), and for numbers below that architecture's count of calls.
func (p Program) ConstantAllow(arch uint32, nr abi.Sysno) bool {
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
				return false
			}
		case opRet:
			return Action(ins.K) == ActionAllow
		case opJA:
			if int64(ins.K) > int64(len(p)-pc) {
				return false
			}
			pc += int(ins.K)
		case opJEQ, opJGE, opJGT, opJSET:
			pc += ins.skip(a, ins.K)
		case opAnd:
			a &= ins.K
		default:
			return false
		}
	}
	return false
}
