// Package gate is the spine of callgate: calls that something stopped are
// answered by handlers and seen by taps. It reads like net/http's Server:
//
//	mux := &gate.Mux{Otherwise: gate.HandlerFunc(refuse)}
//	mux.Route("openat", files)
//	mux.Route("connect", network)
//	g := &gate.Gate{Source: listener, Handler: mux, Recorder: audit, Taps: []gate.Tap{trace}}
//	err := g.Serve(ctx)
//
// A [Source] says how calls are caught: a seccomp listener, an emulator, a
// virtual machine. It yields each as a [Trap]; the [Handler] turns the trap into
// a [Verdict]; the [Recorder] keeps it; the Source carries it out; each [Tap] sees
// one event.
//
// Everything here fails closed. The zero Verdict refuses; so do a handler that
// panics, a call without a route, a verdict that can't be recorded, and an answer
// that can't be given.
//
// The package is pure: it knows no kernel and no clock. Package gatetest has a
// Source in memory, and the tests that every Source must pass.
package gate
