package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
)

func TestListener(t *testing.T) { gatetest.Run(t, openVictim) }

// A trap tells which program of which process made its call, in words that the
// program can't forge a line with.
func TestIdentify(t *testing.T) {
	listener, v := startVictim(t, killable())
	defer listener.Close()
	defer v.End()
	done := make(chan gatetest.Result, 1)
	go func() { done <- v.Call("getppid") }()
	trap, err := listener.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := listener.Identify(trap)
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", trap.Task.TID))
	if err != nil {
		t.Fatal(err)
	}
	if got.Program != strings.TrimSpace(string(comm)) || got.TID != trap.Task.TID || got.PID == 0 || got.PID == os.Getpid() {
		t.Errorf("Identify() = %+v; want %s and the victim's process", got, comm)
	}
	if _, err := listener.Answer(trap, gate.Return(1)); err != nil {
		t.Error(err)
	}
	<-done
	if got := listener.Identify(trap); got != trap.Task {
		t.Errorf("once answered, Identify() = %+v; want no more than the trap has", got)
	}
}

func TestAnswerErrors(t *testing.T) {
	for _, c := range []struct {
		fd   int
		err  error
		want error
	}{
		{3, nil, nil},
		{3, syscall.ENOENT, gate.ErrGone},
		{3, syscall.EINPROGRESS, gate.ErrGone}, // answered, and about to leave
		{3, syscall.EINVAL, abi.EINVAL},
		{-1, syscall.EBADF, os.ErrClosed},
	} {
		if got := (&Listener{fd: c.fd}).answerError(c.err); !errors.Is(got, c.want) {
			t.Errorf("answerError(%v) = %v; want %v", c.err, got, c.want)
		}
	}
}

func TestArchOf(t *testing.T) {
	native := abi.Native()
	for _, c := range []struct {
		audit  uint32
		number abi.Sysno
		want   abi.Arch
	}{
		{native.Audit(), 1, native},
		{0, 1, 0},
		{abi.AMD64.Audit(), abi.X32Bit | 1, abi.X32},
	} {
		if got := archOf(c.audit, c.number); got != c.want {
			t.Errorf("archOf(%#x, %#x) = %v; want %v", c.audit, c.number, got, c.want)
		}
	}
	for _, companion := range native.Companions() {
		if got := archOf(companion.Audit(), 1); got.Audit() != companion.Audit() {
			t.Errorf("archOf(%#x, 1) = %v; want %v's numbering", companion.Audit(), got, companion)
		}
	}
}
