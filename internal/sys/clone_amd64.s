#include "textflag.h"

// func cloneShared(flags, stack, entry uintptr, m *machine) (pid, errno uintptr)
TEXT ·cloneShared(SB), NOSPLIT, $0-48
	MOVQ flags+0(FP), DI
	MOVQ stack+8(FP), SI
	MOVQ entry+16(FP), R13
	MOVQ m+24(FP), R12
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $56, AX // clone
	SYSCALL
	TESTQ AX, AX
	JNZ parent
	MOVQ R12, AX // m in the first register of ABIInternal, which also wants X15 zero
	XORPS X15, X15
	CALL R13
	INT $3
parent:
	XORL CX, CX
	CMPQ AX, $-4095
	JCS done
	NEGQ AX
	MOVQ AX, CX
	MOVQ $0, AX
done:
	MOVQ AX, pid+32(FP)
	MOVQ CX, errno+40(FP)
	RET
