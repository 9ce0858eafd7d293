package sockets

import (
	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard/files"
)

// Route has a program leave connect and listen to the gate, where the program lets
// them, and routes them to the handler. What the program refuses it still refuses,
// or leaves to the Mux's Otherwise.
func (h *Handler) Route(program filter.Program, arch abi.Arch, mux *gate.Mux) (filter.Program, error) {
	return files.RouteAllowed(program, arch, mux, h, "connect", "listen")
}
