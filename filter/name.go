package filter

import (
	"strconv"

	"github.com/callgate/callgate/abi"
)

// callName returns how messages and listings name a call.
func callName(arch abi.Arch, nr abi.Sysno) string {
	return "call " + strconv.FormatUint(uint64(nr), 10)
}
