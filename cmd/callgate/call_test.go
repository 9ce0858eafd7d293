package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"github.com/callgate/callgate/abi"
)

// call makes one system call, as its arguments have it: call unshare CLONE_NEWUSER.
// A word is a number or constants; /path or ./path, a text; :443, an address of
// this machine's, 192.0.2.1:443, another's; tcp, the descriptor of a new socket. It prints the error.
func call() {
	row, number, ok := abi.Native().Find(os.Args[1])
	if !ok {
		fmt.Println("no call", os.Args[1])
		os.Exit(2)
	}
	var args [6]uintptr
	var keep [6]any
	for i, word := range os.Args[2:] {
		args[i], keep[i] = argument(word)
	}
	_, _, errno := syscall.RawSyscall6(uintptr(number), args[0], args[1], args[2], args[3], args[4], args[5])
	runtime.KeepAlive(keep)
	if errno == 0 {
		fmt.Printf("%s: done\n", row.Name)
		return
	}
	fmt.Printf("%s: %s\n", row.Name, abi.Errno(errno).Name())
}

func argument(word string) (uintptr, any) {
	switch {
	case word == "tcp":
		fd, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		return uintptr(fd), nil
	case word[0] == '/' || word[0] == '.':
		text, _ := syscall.BytePtrFromString(word)
		return uintptr(unsafe.Pointer(text)), text
	case strings.Contains(word, ":"):
		to, err := netip.ParseAddrPort("127.0.0.1" + word)
		if word[0] != ':' {
			to, err = netip.ParseAddrPort(word)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		address := [16]byte{0: syscall.AF_INET}
		binary.BigEndian.PutUint16(address[2:], to.Port())
		copy(address[4:], to.Addr().AsSlice())
		return uintptr(unsafe.Pointer(&address)), &address
	}
	var value uint64
	for part := range strings.SplitSeq(word, "|") {
		v, ok := abi.ParseConstant(part, abi.Native())
		if !ok {
			n, err := strconv.ParseInt(part, 0, 64)
			if err != nil {
				fmt.Println("no constant", part)
				os.Exit(2)
			}
			v = uint64(n)
		}
		value |= v
	}
	return uintptr(value), nil
}
