// Package sockets decides to which UNIX sockets a program connects, where its
// policy lists them. A filter can't: whose address a call has lies in memory, which
// another thread may change. So no call goes on: callgate copies the address,
// decides by the socket that is found at it, and connects the program's own socket
// to what it decided about.
package sockets

import (
	"context"
	"strings"
	"sync"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// Limit is how many traps the gate should let the Handler hold: connections that
// wait for somebody to accept them, each on a thread.
const Limit = 64

// Handler is a gate.Handler for connect and listen. The zero Handler lists nothing;
// Close gives up what it holds.
type Handler struct {
	Sockets *policy.Sockets
	Network *policy.Network // of whose ports Landlock can't judge what callgate connects
	Finder  files.Finder
	// Foresee, if not nil, says why the network's walls refused a connection.
	Foresee func(*gate.Trap) *gate.Refusal

	mutex sync.Mutex
	own   []socket // those that listen, or did, by their files
}

// Close closes what the handler holds. It must serve no more calls.
func (h *Handler) Close() {
	for _, s := range h.own {
		sys.Close(s.file)
	}
	h.own = nil
}

// Handle is gate.Handler's.
func (h *Handler) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	row, ok := t.Syscall()
	switch {
	case ok && row.Name == "connect":
		return h.connect(ctx, t).Explained(t, h.Foresee)
	case ok && row.Name == "listen":
		h.listen(t)
		return gate.Continue() // nothing was decided
	}
	return gate.Verdict{}
}

// maxAddress is how long an address may be (struct sockaddr_storage).
const maxAddress = 128

// connect connects the program's socket, which stays the same whatever its
// descriptors become meanwhile.
func (h *Handler) connect(ctx context.Context, t *gate.Trap) gate.Verdict {
	fd, err := taken(t)
	if err != nil {
		return gate.Done(err)
	}
	defer sys.Close(fd)
	length := int32(t.Args[2])
	if length < 0 || length > maxAddress {
		return gate.Done(abi.EINVAL)
	}
	address, err := t.Bytes(1, int(length))
	if err != nil {
		return gate.Done(err)
	}
	family, err := sys.SocketFamily(fd)
	if err != nil {
		return gate.Done(err)
	}
	try := func() error { return sys.ConnectTo(fd, address) }
	switch path, abstract := unixPath(family, address); {
	case path != "":
		file, err := h.file(t, path)
		if err != nil {
			return gate.Done(err)
		}
		defer sys.Close(file)
		try = func() error { return sys.ConnectToFile(fd, file) }
	case abstract != "" && !h.Sockets.Abstract():
		return gate.Done(h.refusal("@" + abstract))
	case h.Network.RefusesPort(isInternet(family) && sys.IsTCP(fd), portOf(address)):
		return gate.Done(abi.EACCES)
	}
	if !sys.Blocks(fd) {
		return gate.Done(try())
	}
	return h.wait(ctx, t, try)
}

// taken returns a descriptor of callgate's for the program's socket.
func taken(t *gate.Trap) (int, error) {
	fd, err := sys.TaskDescriptor(t.Task.TID, t.Identify().PID, int(int32(t.Args[0])))
	if !t.Waits() {
		if err == nil {
			sys.Close(fd)
		}
		return -1, gate.ErrGone
	}
	if err == syscall.EPERM {
		err = &gate.Refusal{Errno: abi.EACCES, Why: event.Why{
			Text: "the program keeps its memory to itself (PR_SET_DUMPABLE), and callgate can't connect for it", Wall: policy.WallNetwork,
		}}
	}
	return fd, err
}

// file opens the socket that a path leads to for the program, if it may be
// connected to.
func (h *Handler) file(t *gate.Trap, path string) (int, error) {
	found, name, err := h.Finder.Find(t, path)
	if err != nil {
		return -1, err
	}
	if !isSocket(found) {
		sys.Close(found)
		return -1, abi.ECONNREFUSED // as the kernel says of what is none
	}
	if h.isOwn(found) {
		return found, nil
	}
	sys.Close(found)
	name = strings.TrimSuffix(name, deleted)
	if !h.Sockets.Lists(name) {
		return -1, h.refusal(name)
	}
	return listed(name)
}

// deleted is what the kernel adds to the name of a socket that is shown still, and
// whose server has removed it.
const deleted = " (deleted)"

// listed opens the machine's own socket at a path, in which there are no links any
// more: a server that was started anew has made another than the program is shown.
func listed(name string) (int, error) {
	fd, err := sys.OpenAt(files.Here, name, sys.ModePath|syscall.O_NOFOLLOW, 0, sys.WalkNoLinks)
	if err == nil && !isSocket(fd) {
		sys.Close(fd)
		err = abi.ECONNREFUSED
	}
	return fd, err
}

func isSocket(fd int) bool {
	stat, err := sys.StatAt(fd, "")
	return err == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}

func (h *Handler) refusal(name string) error {
	missing := h.Sockets.Missing(name)
	return &gate.Refusal{Errno: abi.Errno(missing.Action.Data()), Why: event.Why{
		Text: missing.Reason, Wall: missing.Wall, Rule: missing.At.String(), Cure: missing.Cure,
	}}
}
