#include "textflag.h"

// func cloneShared(flags, stack, entry uintptr, m *machine, cleared *uint32) (pid, errno uintptr)
TEXT ·cloneShared(SB), NOSPLIT, $16-56
	MOVD flags+0(FP), R0
	MOVD stack+8(FP), R1
	MOVD entry+16(FP), R20
	MOVD m+24(FP), R19
	MOVD $0, R2
	MOVD $0, R3
	MOVD cleared+32(FP), R4
	MOVD $220, R8 // clone
	SVC
	CBNZ R0, parent
	MOVD R19, R0 // m in the first register of ABIInternal
	BL (R20)
	BRK
parent:
	MOVD $0, R1
	CMN $4095, R0
	BCC done
	NEG R0, R1
	MOVD $0, R0
done:
	MOVD R0, pid+40(FP)
	MOVD R1, errno+48(FP)
	RET
