#include "textflag.h"

// func cloneShared(flags, stack, entry uintptr, m *machine, cleared *uint32) (pid, errno uintptr)
TEXT ·cloneShared(SB), NOSPLIT, $0-56
	MOVQ flags+0(FP), DI
	MOVQ stack+8(FP), SI
	MOVQ entry+16(FP), R13
	MOVQ m+24(FP), R12
	XORL DX, DX
	MOVQ cleared+32(FP), R10
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
	MOVQ AX, pid+40(FP)
	MOVQ CX, errno+48(FP)
	RET
