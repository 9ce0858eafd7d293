package sys

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signalPipe is where signalHandler writes the numbers of signals.
//
//lint:ignore U1000 the assembly reads it
var signalPipe int

// signalHandlerAddress returns the address of code that runs as a signal handler:
// it writes the signal's number, a byte, to signalPipe.
func signalHandlerAddress() uintptr

// signalReturnAddress returns the address of code that ends a handler
// (sigreturn(2)), or 0 where the kernel has its own.
func signalReturnAddress() uintptr

// Flags of sigaction(2).
const (
	onStack     = 0x08000000 // SA_ONSTACK
	hasRestorer = 0x04000000 // SA_RESTORER
)

// CatchSignals sends the signals to the channel for the rest of the process's
// life, but for those that it was started to ignore. It may be called once, and
// os/signal must leave these signals alone. What it does takes microseconds;
// signal.Notify hands each signal over between threads, which makes a program
// that starts wait for half a millisecond.
//
// The errors are those of pipe2(2) and rt_sigaction(2).
func CatchSignals(to chan<- os.Signal, signals ...syscall.Signal) error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil { // a handler must never wait
		return os.NewSyscallError("pipe2", err)
	}
	signalPipe = ends[1]
	for _, sig := range signals {
		if err := catch(sig); err != nil {
			return os.NewSyscallError("rt_sigaction", err)
		}
	}
	pipe := os.NewFile(uintptr(ends[0]), "signals")
	go func() {
		var number [1]byte
		for {
			if _, err := pipe.Read(number[:]); err != nil {
				return
			}
			to <- syscall.Signal(number[0])
		}
	}()
	return nil
}

func catch(sig syscall.Signal) error {
	var action sigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
	const ignore = 1 // SIG_IGN
	if errno != 0 || action.handler == ignore {
		return errnoErr(errno)
	}
	action = sigaction{handler: signalHandlerAddress(), flags: onStack | restart}
	if action.restorer = signalReturnAddress(); action.restorer != 0 {
		action.flags |= hasRestorer
	}
	_, _, errno = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	return errnoErr(errno)
}
