package filter

import (
	"strconv"

	"github.com/callgate/callgate/abi"
)

// callName returns how messages and listings name a call: "openat (257)", or
// "call 600" where the architecture has none of that number.
func callName(arch abi.Arch, nr abi.Sysno) string {
	number := strconv.FormatUint(uint64(nr), 10)
	if call, ok := arch.Syscall(nr); ok {
		return call.Name + " (" + number + ")"
	}
	return "call " + number
}
