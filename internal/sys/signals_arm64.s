#include "textflag.h"

TEXT ·signalHandlerAddress(SB), NOSPLIT, $0-8
	MOVD $signalHandler<>(SB), R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·signalReturnAddress(SB), NOSPLIT, $0-8
	MOVD ZR, ret+0(FP)
	RET

// The kernel calls it, as C, with the signal's number in R0.
TEXT signalHandler<>(SB), NOSPLIT|NOFRAME, $0
	SUB $16, RSP
	MOVD R0, (RSP)
	MOVD ·signalPipe(SB), R0
	MOVD RSP, R1
	MOVD $1, R2
	MOVD $64, R8 // write
	SVC
	ADD $16, RSP
	RET
