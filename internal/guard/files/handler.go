// Package files decides, by a policy's patterns, about the calls that name files:
// what the kernel's own walls can't decide. No call is sent back to the kernel to
// be run with a path in the target's memory, which another thread may change
// meanwhile: callgate finds the file itself, under the target's own root and
// folder, decides about the name that it found, and does the rest with that.
//
// docs/files.md lists every call and what is done with it.
package files

import (
	"context"
	"strings"
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Place is a part of the file tree that the kernel's walls show.
type Place struct {
	Path   string        // absolute, without links
	Access policy.Access // 0 is hidden
}

// Handler is a gate.Handler for calls that name files. Make it with New; Close
// gives up what it holds.
type Handler struct {
	table    map[string]row
	patterns *policy.Patterns
	places   map[string]policy.Access
	alone    bool // no mounts: callgate's check is the only one for what it opens
	ownProc  bool // the target's /proc shows its own processes, and not callgate
	// Foresee, if not nil, says why the kernel's walls refused what the handler did
	// for the target; all opens stop for it.
	Foresee func(*gate.Trap) *gate.Refusal
	lifter  *Lifter // nil where nobody is asked

	names    sync.RWMutex // held while files are found and opened, and for writing while a name comes, goes or changes
	creating sync.Mutex   // held between taking the target's umask and making a file
	root     rootFolder
	standing standings
}

// maxHeld is how many opens may wait at once, of FIFOs and the like: each takes a
// thread.
const maxHeld = 64

// Limit is how many traps the gate should let the Handler hold.
const Limit = maxHeld

// New returns a handler for a target that sees these places. Without mounts, the
// target sees the machine's own tree, and nothing but the handler keeps what is
// opened for it within the places; without processes of its own, the machine's.
func New(patterns *policy.Patterns, places []Place, mounts, processes bool) *Handler {
	h := &Handler{
		table: newTable(), patterns: patterns, places: map[string]policy.Access{}, alone: !mounts, ownProc: mounts && processes,
	}
	h.standing.patterns = patterns
	for _, p := range places {
		h.places[p.Path] = p.Access
	}
	return h
}

// Close closes what the handler holds. It must serve no more calls.
func (h *Handler) Close() { h.root.close() }

// Handle is gate.Handler's.
func (h *Handler) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	row, ok := t.Syscall()
	if !ok {
		return gate.Verdict{}
	}
	serve := h.table[row.Name].serve
	if serve == nil {
		return gate.Fail(&gate.Refusal{Errno: abi.EPERM, Why: event.Why{Text: "patterns can't be kept for " + row.Name, Wall: policy.WallPatterns}})
	}
	c := &call{Trap: t, Handler: h, context: ctx, changes: changesNames[row.Name]}
	v := c.serve(serve).Explained(t, h.Foresee)
	if h.lifter != nil {
		return h.lifter.after(ctx, t, v)
	}
	return v
}

// serve lets no other call change names meanwhile, or be served at all where this
// one does; and lets them go on in the end, even if this one panics.
func (c *call) serve(serve func(*call) gate.Verdict) gate.Verdict {
	if c.changes {
		c.names.Lock()
		defer c.names.Unlock()
		return serve(c)
	}
	c.names.RLock()
	defer c.release()
	return serve(c)
}

// call is one call while it is served.
type call struct {
	*gate.Trap
	*Handler
	context  context.Context
	changes  bool // names: no other call is served meanwhile
	released bool // others may change names: this one waits
	top      int  // the target's root, once something was looked for
}

// release lets other calls change names, of a call that changes none itself.
func (c *call) release() {
	if !c.released {
		c.released = true
		c.names.RUnlock()
	}
}

// decide refuses what the policy withholds of the file at a spot.
func (h *Handler) decide(s *spot, want policy.Access) error {
	if lent, err := h.lifter.lentTo(s, want); lent {
		return err
	}
	name := s.full()
	if !strings.HasPrefix(name, "/") {
		return nil // a pipe, a socket: no file by name
	}
	if refusal := h.byPattern(s, want); refusal != nil {
		return refusal
	}
	if trimmed, cut := strings.CutSuffix(name, deleted); cut && s.name == "" {
		// What the kernel says of a file without a name left; its last one counts.
		if match, ok := h.patterns.Decide(trimmed); ok {
			return refused(match, trimmed, want)
		}
		if s.nameless() {
			return nil
		}
	}
	if hostNetwork(name) {
		return abi.EACCES
	}
	return h.byPlace(name, want)
}

const deleted = " (deleted)"

// byPattern is nil where the patterns leave what is wanted.
func (h *Handler) byPattern(s *spot, want policy.Access) error {
	name := s.full()
	match, ok := h.patterns.Of(h.standing.of(name))
	if !ok {
		return nil
	}
	return refused(match, name, want)
}

// refused is nil where a pattern leaves what is wanted.
func refused(match policy.Match, name string, want policy.Access) error {
	missing := want &^ match.Access
	if match.Access != 0 {
		missing &^= policy.Execute // what is readable the kernel's walls decide
	}
	if match.Plain || missing == 0 {
		return nil
	}
	answer := match.Refusal(name, want)
	return &gate.Refusal{
		Errno: abi.Errno(answer.Action.Data()),
		Why:   event.Why{Text: answer.Reason, Rule: answer.At.String(), Wall: answer.Wall, Cure: answer.Cure},
	}
}

// byPlace refuses what lies outside of what the walls show: a folder that was
// passed to the target, or the machine's own tree where there are no mounts. What
// may be done within, mounts decide where there are any.
func (h *Handler) byPlace(name string, want policy.Access) error {
	for at := name; ; at = parent(at) {
		if access, ok := h.places[at]; ok {
			if access != 0 && (!h.alone || want&^access == 0) {
				return nil
			}
			break
		}
		if at == "/" {
			if !h.alone && want&^policy.Read == 0 && h.leads(name) {
				return nil
			}
			break
		}
	}
	return &gate.Refusal{Errno: abi.EACCES, Why: event.Why{Text: name + " is not granted", Wall: policy.WallFiles}}
}

// leads reports whether a place lies below a folder.
func (h *Handler) leads(folder string) bool {
	prefix := strings.TrimSuffix(folder, "/") + "/"
	for place := range h.places {
		if strings.HasPrefix(place, prefix) {
			return true
		}
	}
	return false
}

func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return "/"
}
