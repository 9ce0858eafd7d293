package filter_test

import (
	"fmt"
	"os"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

func ExampleFilter_Compile() {
	f := filter.Filter{
		Foreign: filter.ActionKillProcess,
		Tables: []filter.Table{{
			Arch:    abi.AMD64,
			Default: filter.Errno(abi.ENOSYS),
			Rules: []filter.Rule{
				{Nr: 0, Then: filter.ActionAllow}, // read
				{Nr: 1, Then: filter.ActionAllow}, // write
				{Nr: 41, Then: filter.ActionAllow, When: []filter.Cond{ // socket of family AF_UNIX, AF_INET or AF_INET6
					{Arg: 0, Op: filter.In, Values: []uint64{1, 2, 10}, Bits: 32},
				}},
			},
		}},
	}
	program, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := program.Disassemble(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	//    0  ld    [4]                            ; arch
	//    1  jeq   #0xc000003e, 2, 6              ; arch == amd64?
	//    2  ld    [0]                            ; nr
	//    3  jge   #42, 4, 7                      ; nr >= connect (42)?
	//    4  jge   #0x40000000, 5, 13             ; nr >= first x32 call?
	//    5  jeq   #0xffffffff, 13, 6             ; nr == -1?
	//    6  ret   #0x80000000                    ; kill process
	//    7  jge   #2, 8, 14                      ; nr >= open (2)?
	//    8  jeq   #41, 9, 13                     ; nr == socket (41)?
	//    9  ld    [16]                           ; arg0 low
	//   10  jge   #3, 11, 12                     ; arg0 low >= 3?
	//   11  jeq   #10, 14, 13                    ; arg0 low == 10?
	//   12  jeq   #0, 13, 14                     ; arg0 low == 0?
	//   13  ret   #0x50026                       ; errno(ENOSYS)
	//   14  ret   #0x7fff0000                    ; allow
}

func ExampleProgram_Run() {
	f := filter.Filter{
		Tables: []filter.Table{{
			Arch:    abi.ARM64,
			Default: filter.ActionAllow,
			Rules:   []filter.Rule{{Nr: 40, Then: filter.Errno(abi.EPERM)}}, // mount
		}},
	}
	program, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, call := range []abi.Call{{Arch: abi.ARM64, Nr: 40}, {Arch: abi.ARM64, Nr: 41}, {Arch: abi.ARM, Nr: 41}} {
		action, steps, err := program.Run(filter.DataOf(call))
		fmt.Println(action, steps, err)
	}
	// Output:
	// errno(EPERM) 5 <nil>
	// allow 5 <nil>
	// kill thread 3 <nil>
}
