package sockets

import (
	"context"
	"strconv"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/policy"
)

// wait connects a socket that blocks: until the connection is made, or the program
// doesn't wait any more.
func (h *Handler) wait(ctx context.Context, t *gate.Trap, try func() error) gate.Verdict {
	if !t.Hold() {
		return gate.Done(&gate.Refusal{Errno: abi.EAGAIN, Why: event.Why{
			Text: "more than " + strconv.Itoa(Limit) + " connections wait to be accepted", Wall: policy.WallNetwork,
		}})
	}
	left := func() bool { return !t.Waits() || ctx.Err() != nil }
	stop := files.InterruptWhen(left)
	defer stop()
	for {
		err := try()
		if err == syscall.EINTR && !left() {
			continue
		}
		return gate.Done(err)
	}
}
