package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

// Exactly the calls that were asked for become notifications; the program
// decides all others as before.
func TestNotifyOf(t *testing.T) {
	program := Program{
		{Code: opLoad, K: offNr},
		{Code: opJEQ, Jt: 1, K: 39},
		{Code: opRet, K: uint32(ActionAllow)},
		{Code: opRet, K: uint32(Errno(abi.EPERM))},
	}
	for _, calls := range [][]abi.Sysno{{257}, {2, 257, 39}, nil, make([]abi.Sysno, 250)} {
		got, err := program.NotifyOf(abi.AMD64, calls)
		if err != nil {
			t.Fatalf("NotifyOf(%v) = %v", calls, err)
		}
		asked := map[abi.Sysno]bool{}
		for _, call := range calls {
			asked[call] = true
		}
		for nr := range abi.Sysno(600) {
			for _, arch := range []abi.Arch{abi.AMD64, abi.I386} {
				data := DataOf(abi.Call{Arch: arch, Nr: nr})
				want, _, _ := program.Run(data)
				if asked[nr] && arch == abi.AMD64 {
					want = ActionNotify
				}
				if action, _, err := got.Run(data); action != want || err != nil {
					t.Errorf("with %v, %v call %d: %v, %v; want %v", calls, arch, nr, action, err, want)
				}
			}
		}
	}
	if _, err := program.NotifyOf(abi.AMD64, make([]abi.Sysno, 251)); err == nil {
		t.Error("NotifyOf(251 calls) = nil; want an error")
	}
	long := make(Program, MaxInstructions)
	for i := range long {
		long[i] = Instruction{Code: opRet}
	}
	if _, err := long.NotifyOf(abi.AMD64, []abi.Sysno{1}); err == nil {
		t.Error("NotifyOf a program of the longest length = nil; want an error")
	}
}

// A call stops where one of the flags is there, and the program decides all else.
func TestNotifyFlags(t *testing.T) {
	program := Program{
		{Code: opLoad, K: offNr},
		{Code: opJEQ, Jt: 1, K: 39},
		{Code: opRet, K: uint32(ActionAllow)},
		{Code: opRet, K: uint32(Errno(abi.EPERM))},
	}
	const openat, flags = 257, 0o101
	got, err := program.NotifyFlags(abi.AMD64, openat, 2, flags)
	if err != nil {
		t.Fatalf("NotifyFlags() = %v", err)
	}
	for nr := range abi.Sysno(600) {
		for _, arch := range []abi.Arch{abi.AMD64, abi.I386} {
			for _, value := range []uint64{0, 1, 2, 0o100, 0o101, 0o2000000, 1 << 32, 1<<32 | 1, ^uint64(0)} {
				data := DataOf(abi.Call{Arch: arch, Nr: nr, Args: [6]uint64{1, 1, value, 1, 1, 1}})
				want, _, _ := program.Run(data)
				if arch == abi.AMD64 && nr == openat && value&flags != 0 {
					want = ActionNotify
				}
				if action, _, err := got.Run(data); action != want || err != nil {
					t.Errorf("%v call %d with %#x: %v, %v; want %v", arch, nr, value, action, err, want)
				}
			}
		}
	}
	long := make(Program, MaxInstructions)
	for i := range long {
		long[i] = Instruction{Code: opRet}
	}
	if _, err := long.NotifyFlags(abi.AMD64, openat, 2, flags); err == nil {
		t.Error("NotifyFlags of a program of the longest length = nil; want an error")
	}
}

// A call stops with those arguments with which the program lets it, and with the
// others becomes what it was.
func TestNotifyAllowed(t *testing.T) {
	const openat, mkdir, mount = 257, 83, 165
	program := Program{
		{Code: opLoad, K: offNr},
		{Code: opJEQ, Jt: 3, K: mount},
		{Code: opJEQ, Jf: 1, K: openat},
		{Code: opLoad, K: offLow(2)},
		{Code: opJEQ, Jt: 1, K: 7},
		{Code: opRet, K: uint32(ActionAllow)},
		{Code: opRet, K: uint32(ActionKillProcess)},
	}
	got, err := program.NotifyAllowed(abi.AMD64, []abi.Sysno{openat, mkdir, mount})
	if err != nil {
		t.Fatalf("NotifyAllowed() = %v", err)
	}
	for nr := range abi.Sysno(600) {
		for _, arch := range []abi.Arch{abi.AMD64, abi.I386} {
			for _, value := range []uint64{0, 7, 1<<32 | 7} {
				data := DataOf(abi.Call{Arch: arch, Nr: nr, Args: [6]uint64{2: value}})
				want, _, _ := program.Run(data)
				if arch == abi.AMD64 && (nr == openat || nr == mkdir || nr == mount) && want == ActionAllow {
					want = ActionNotify
				}
				if action, _, err := got.Run(data); action != want || err != nil {
					t.Errorf("%v call %d with %#x: %v, %v; want %v", arch, nr, value, action, err, want)
				}
			}
		}
	}
	if same, err := program.NotifyAllowed(abi.AMD64, nil); len(same) != len(program) || err != nil {
		t.Errorf("NotifyAllowed(none) = %v, %v; want the program", same, err)
	}
	if _, err := program.NotifyAllowed(abi.AMD64, make([]abi.Sysno, 251)); err == nil {
		t.Error("NotifyAllowed(251 calls) = nil; want an error")
	}
	long := make(Program, MaxInstructions/2)
	for i := range long {
		long[i] = Instruction{Code: opRet}
	}
	if _, err := long.NotifyAllowed(abi.AMD64, []abi.Sysno{1}); err == nil {
		t.Error("NotifyAllowed of a program of half the longest length = nil; want an error")
	}
}

// What can be told of a call without its arguments.
func TestConstant(t *testing.T) {
	program := Program{
		{Code: opLoad, K: offNr},
		{Code: opJEQ, Jt: 2, K: 165},
		{Code: opJEQ, Jf: 2, K: 257},
		{Code: opLoad, K: offLow(2)},
		{Code: opRet, K: uint32(Errno(abi.EPERM))},
		{Code: opRet, K: uint32(ActionLog)},
	}
	for _, c := range []struct {
		nr       abi.Sysno
		action   Action
		constant bool
	}{{165, Errno(abi.EPERM), true}, {257, 0, false}, {1, ActionLog, true}} {
		if action, constant := program.Constant(abi.AMD64.Audit(), c.nr); action != c.action || constant != c.constant {
			t.Errorf("Constant(%d) = %v, %v; want %v, %v", c.nr, action, constant, c.action, c.constant)
		}
	}
}
