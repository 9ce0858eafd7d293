package abi_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/callgate/callgate/abi"
)

// A call's row says what its registers mean.
func Example() {
	call := abi.Call{Arch: abi.ARM64, Nr: 56, Args: [6]uint64{0xffffff9c, 0x7ffe3a10, 0x4000}}
	fmt.Println(call)

	row, _ := call.Syscall()
	for i, arg := range row.Args {
		fmt.Printf("%d: %s %s, %d bits\n", i, arg.Name, arg.Kind, arg.Bits)
	}
	fmt.Println("since", row.Since, "gives a", row.Result)
	// Output:
	// openat(AT_FDCWD, 0x7ffe3a10, O_RDONLY|O_DIRECTORY, 0)
	// 0: dfd directory, 32 bits
	// 1: filename path, 64 bits
	// 2: flags flags, 32 bits
	// 3: mode mode, 16 bits
	// since 2.6 gives a descriptor
}

// Which calls did Linux 6.8 bring?
func ExampleArch_Syscalls() {
	for nr, call := range abi.AMD64.Syscalls() {
		if call.Since == (abi.Version{Major: 6, Minor: 8}) {
			fmt.Println(nr, call.Name)
		}
	}
	// Output:
	// 457 statmount
	// 458 listmount
	// 459 lsm_get_self_attr
	// 460 lsm_set_self_attr
	// 461 lsm_list_modules
}

func ExampleFlagSet_Parse() {
	flags, _ := abi.NamedFlagSet("open")
	for _, arch := range []abi.Arch{abi.AMD64, abi.ARM64} {
		value, err := flags.Parse(arch, "O_RDWR|O_DIRECTORY")
		fmt.Printf("%v: %#o %v\n", arch, value, err)
	}
	_, err := flags.Parse(abi.AMD64, "O_RDWR|O_CLOEXC")
	fmt.Println(err)
	// Output:
	// amd64: 0200002 <nil>
	// arm64: 040002 <nil>
	// open: unknown name "O_CLOEXC"; did you mean O_CLOEXEC?
}

// ioctl's request is an unsigned int: bits above the 32nd do not count, though
// the register has them.
func ExampleArg_Narrow() {
	row, _ := abi.Lookup("ioctl")
	register := uint64(1)<<32 | 0x5412
	fmt.Printf("%#x\n", row.Args[1].Narrow(register))
	fmt.Println(row.Args[1].Format(abi.AMD64, register))
	// Output:
	// 0x5412
	// TIOCSTI
}

func ExampleErrnoOf() {
	err := fmt.Errorf("open %q: %w", "/etc/shadow", abi.EACCES)
	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrPermission), abi.ErrnoOf(err).Name())
	// Output:
	// open "/etc/shadow": permission denied
	// true EACCES
}

func ExampleNearest() {
	fmt.Println(abi.Nearest("opneat", 1), abi.Nearest("scoket", 1))
	// Output: [openat] [socket]
}
