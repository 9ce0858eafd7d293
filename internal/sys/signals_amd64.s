#include "textflag.h"

TEXT ·signalHandlerAddress(SB), NOSPLIT, $0-8
	LEAQ signalHandler<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·signalReturnAddress(SB), NOSPLIT, $0-8
	LEAQ signalReturn<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// The kernel calls it, as C, with the signal's number in DI.
TEXT signalHandler<>(SB), NOSPLIT|NOFRAME, $0
	PUSHQ DI
	MOVQ ·signalPipe(SB), DI
	MOVQ SP, SI
	MOVL $1, DX
	MOVL $1, AX // write
	SYSCALL
	POPQ DI
	RET

TEXT signalReturn<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $15, AX // rt_sigreturn
	SYSCALL
	INT $3
