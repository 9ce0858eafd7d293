package filter

import "github.com/callgate/callgate/abi"

// Data is what a program sees of a call, as struct seccomp_data
// (include/uapi/linux/seccomp.h).
type Data struct {
	Nr   abi.Sysno
	Arch uint32 // an AUDIT_ARCH_* value, see abi.Arch.Audit
	IP   uint64 // the instruction pointer
	Args [6]uint64
}

// DataOf returns what a program sees of c. The instruction pointer is zero:
// no compiled program looks at it.
func DataOf(c abi.Call) Data {
	return Data{Nr: c.Nr, Arch: c.Arch.Audit(), Args: c.Args}
}

// Offsets into struct seccomp_data, in bytes.
const (
	offNr    = 0
	offArch  = 4
	offIP    = 8
	offArgs  = 16
	dataSize = 64
)

// offLow is where the low half of an argument lies: every architecture callgate
// runs on is little-endian.
func offLow(arg int) uint32 { return offArgs + 8*uint32(arg) }

// offHigh is where the high half of an argument lies.
func offHigh(arg int) uint32 { return offLow(arg) + 4 }

// word returns the 32-bit word at an offset that is a multiple of 4 below
// dataSize.
func (d *Data) word(off uint32) uint32 {
	var wide uint64
	switch {
	case off == offNr:
		return uint32(d.Nr)
	case off == offArch:
		return d.Arch
	case off < offArgs:
		wide = d.IP
	default:
		wide = d.Args[(off-offArgs)/8]
	}
	if off%8 == 4 {
		return uint32(wide >> 32)
	}
	return uint32(wide)
}
