#include "textflag.h"

TEXT ·signalHandlerAddress(SB), NOSPLIT, $0-8
	MOV $signalHandler<>(SB), A0
	MOV A0, ret+0(FP)
	RET

TEXT ·signalReturnAddress(SB), NOSPLIT, $0-8
	MOV ZERO, ret+0(FP)
	RET

// The kernel calls it, as C, with the signal's number in A0.
TEXT signalHandler<>(SB), NOSPLIT|NOFRAME, $0
	ADD $-16, X2
	MOV A0, (X2)
	MOV ·signalPipe(SB), A0
	MOV X2, A1
	MOV $1, A2
	MOV $64, A7 // write
	ECALL
	ADD $16, X2
	RET
