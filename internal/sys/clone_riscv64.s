#include "textflag.h"

// func cloneShared(flags, stack, entry uintptr, m *machine, cleared *uint32) (pid, errno uintptr)
TEXT ·cloneShared(SB), NOSPLIT, $16-56
	MOV flags+0(FP), A0
	MOV stack+8(FP), A1
	MOV entry+16(FP), S3
	MOV m+24(FP), S2
	MOV $0, A2
	MOV $0, A3
	MOV cleared+32(FP), A4
	MOV $220, A7 // clone
	ECALL
	BNE A0, ZERO, parent
	MOV S2, X10 // m in the first register of ABIInternal
	JALR X1, (S3)
	WORD $0 // illegal instruction
parent:
	MOV $0, A1
	MOV $-4095, A2
	BLTU A0, A2, done
	SUB A0, ZERO, A1
	MOV $0, A0
done:
	MOV A0, pid+40(FP)
	MOV A1, errno+48(FP)
	RET
