package files

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// Lifter is a gate.Handler for calls that open a file or look at it. What the
// kernel's walls let, it leaves to them. What they withhold and the machine has, it
// refuses so that somebody can lift that: the file is found once, by its name on
// the machine, before anybody is asked, and what was found is what is opened then.
// No name is followed twice.
//
// A regular file alone is given to the target. A folder's descriptor would lead it
// on to all that lies around.
type Lifter struct {
	// handler serves all opens, and what changes a file by a descriptor: one that
	// was given may only do what was allowed.
	handler  *Handler
	withheld Withheld

	mutex   sync.Mutex
	grants  []grant
	tickets map[ticket]uses
	lent    map[sys.Mounted]lent
}

// Withheld says why the policy withholds a file of the machine's, and, if it hides
// it, by which line.
type Withheld func(path string, want policy.Access, creates bool) (why event.Why, hidden string)

// NewLifter returns a Lifter for what a Handler refuses, which serves with it.
func NewLifter(h *Handler, withheld Withheld) *Lifter {
	l := &Lifter{handler: h, withheld: withheld}
	h.lifter = l
	return l
}

// Handle is gate.Handler's.
func (l *Lifter) Handle(ctx context.Context, t *gate.Trap) gate.Verdict {
	if verdict, ok := l.reconsider(ctx, t); ok {
		return verdict
	}
	if foresee := l.handler.Foresee; foresee != nil {
		if refusal := foresee(t); refusal != nil {
			return gate.Expect(refusal)
		}
	}
	return gate.Continue()
}

// after returns what becomes of a call that was refused by the Handler, or met an
// error that a wall may have made.
func (l *Lifter) after(ctx context.Context, t *gate.Trap, v gate.Verdict) gate.Verdict {
	if v.Outcome() == event.Given || v.Outcome() == event.Allowed || v.Outcome() == event.Emulated && v.Value() >= 0 {
		return v
	}
	if lifted, ok := l.reconsider(ctx, t); ok {
		return lifted
	}
	return v
}

// reconsider returns what becomes of a call for a file that the walls withhold and
// the machine has; else false.
func (l *Lifter) reconsider(ctx context.Context, t *gate.Trap) (gate.Verdict, bool) {
	if t.Arch != abi.Native() {
		return gate.Verdict{}, false
	}
	r := &request{call: &call{Trap: t, Handler: l.handler, context: ctx}, lifter: l}
	row, _ := t.Syscall()
	if !r.read(row.Name) {
		return gate.Verdict{}, false
	}
	name, ok := r.absolute()
	if !ok || inProcess(name) {
		return gate.Verdict{}, false
	}
	errno, real := r.wall(name)
	if errno == 0 {
		return gate.Verdict{}, false
	}
	found, err := findOnHost(name, r.follow, r.creates)
	if err != nil {
		return gate.Verdict{}, false
	}
	if verdict, ok := r.decide(found, errno, real); ok {
		return verdict, true
	}
	found.close()
	return gate.Verdict{}, false
}

// inProcess reports whether a path lies in /proc, which shows each process
// something else.
func inProcess(name string) bool { return name == "/proc" || strings.HasPrefix(name, "/proc/") }

// absolute is the path argument from the root on, as the target has it.
func (r *request) absolute() (string, bool) {
	text, err := r.Path(r.path)
	if err != nil || text == "" {
		return "", false
	}
	if text[0] == '/' {
		return text, true
	}
	entry := "cwd"
	if r.folder != here {
		entry = "fd/" + strconv.Itoa(int(r.folder))
	}
	base, err := sys.ReadLinkAt(here, "/proc/"+strconv.Itoa(r.Task.TID)+"/"+entry)
	if err != nil || !strings.HasPrefix(base, "/") || strings.HasSuffix(base, deleted) || !r.Waits() {
		return "", false
	}
	return base + "/" + text, true
}

// decide returns the verdict about a file that the walls withhold and the machine
// has, or false where nothing can be done for the target. It owns the file then.
func (r *request) decide(found *find, errno abi.Errno, real string) (gate.Verdict, bool) {
	l := r.lifter
	if inProcess(found.path) || real == "" && r.sameInTarget(found) {
		return gate.Verdict{}, false
	}
	want, creates := r.want, found.name != ""
	if want == 0 {
		want = policy.Read
	}
	if !r.mayAll(found) {
		return gate.Verdict{}, false
	}
	kind := found.stat.Mode & syscall.S_IFMT
	lifts := r.look != nil || creates || kind == syscall.S_IFREG
	if !lifts && kind != syscall.S_IFDIR {
		return gate.Verdict{}, false // devices, sockets and FIFOs
	}
	switch allowed := l.allows(r, found); {
	case allowed && !lifts: // a folder, for other runs
		return gate.Verdict{}, false
	case allowed:
		defer found.close()
		return r.carryOut(found, errno).Because(event.Why{Text: "allowed when asked: " + found.full()}), true
	}
	if real != "" && r.want == 0 {
		return gate.Verdict{}, false // it is told of the stand-in for what is hidden
	}
	if len(strconv.QuoteToASCII(found.full())) > maxAskedPath {
		return gate.Verdict{}, false
	}
	why, hidden := l.withheld(found.full(), want, creates)
	refusal := &gate.Refusal{
		Errno: errno, Why: why, Release: found.close,
		File: &gate.File{Path: found.full(), Access: r.accessWord(creates, kind == syscall.S_IFDIR), Hidden: hidden},
	}
	if !lifts {
		return gate.Expect(refusal), true
	}
	refusal.Lift = func(forGood bool) gate.Verdict {
		verdict := r.carryOut(found, errno)
		if verdict.Err() == nil {
			l.remember(r, found, forGood)
		}
		return verdict
	}
	return gate.Fail(refusal), true
}

// maxAskedPath is the longest path that is asked about, in bytes: a question is a
// line that somebody reads to its end.
const maxAskedPath = 400

// mayAll reports whether the target's user may do what is wanted, but for the
// walls: else there is nothing to lift.
func (r *request) mayAll(found *find) bool {
	const execute, write, read = 1, 2, 4 // X_OK, W_OK, R_OK
	var mode uint32
	switch {
	case found.name != "":
		mode = write | execute
	case r.want&policy.Read != 0:
		mode |= read
		fallthrough
	default:
		if r.want&policy.Write != 0 {
			mode |= write
		}
	}
	return mode == 0 || sys.MayAccess(found.fd, mode) == nil
}

// accessWord says what is wanted.
func (r *request) accessWord(creates, folder bool) string {
	switch {
	case creates:
		return "create"
	case folder && r.look != nil && r.want&policy.Write == 0:
		return "look at the folder"
	case r.want == 0:
		return "look at, and read"
	case r.want == policy.Read:
		return "read"
	case r.want == policy.Write:
		return "write"
	}
	return "read and write"
}

// movedWhy is why nothing is done with a file that is no longer as it was asked
// about.
var movedWhy = event.Why{Text: "the file was moved, removed or made while somebody was asked about it", Wall: policy.WallFiles}

// carryOut does what was allowed with what was found.
func (r *request) carryOut(found *find, errno abi.Errno) gate.Verdict {
	if at, err := sys.PathOf(found.fd); err != nil || at != found.path {
		return gate.Fail(&gate.Refusal{Errno: errno, Why: movedWhy})
	}
	if r.look != nil {
		return r.look(found)
	}
	return r.give(found)
}
