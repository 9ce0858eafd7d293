package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/guard"
)

// summary says at the end, in a line, that calls were refused.
type summary struct{ refusals guard.Refusals }

// maxSummary is how many refusals the line names.
const maxSummary = 3

// say prints the line, the last refusal first: it is the likeliest to have ended
// the program.
func (s *summary) say(w io.Writer) {
	if s == nil {
		return
	}
	list, omitted := s.refusals.Summary()
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(a, b guard.Refused) int { return cmp.Compare(b.Last, a.Last) })
	shown := list[:min(len(list), maxSummary)]
	parts := make([]string, len(shown))
	for i, r := range shown {
		parts[i] = shortCall(r.Event) + " to " + strconv.Quote(r.Task.Program)
		if r.Count > 1 {
			parts[i] += " ×" + strconv.Itoa(r.Count)
		}
	}
	line := strings.Join(parts, ", ")
	if more := len(list) - len(shown); more > 0 || omitted > 0 {
		line += ", and more"
	}
	fmt.Fprintf(w, "callgate: refused %s: callgate run --explain says why, and what would allow it\n", line)
}

// shortCall is a call as its registers tell, up to the last that says something:
// addresses don't.
func shortCall(e event.Event) string {
	row, ok := e.Call.Syscall()
	if !ok {
		return e.Call.String()
	}
	const nothing = "…"
	args, telling := make([]string, len(row.Args)), 0
	for i := range row.Args {
		args[i] = nothing
		if arg := &row.Args[i]; !arg.Pointer() && arg.Kind != abi.KindAddress {
			args[i] = arg.Format(e.Call.Arch, e.Call.Args[i])
			if e.Call.Args[i] != 0 || arg.Kind == abi.KindChoice {
				telling = i + 1
			}
		}
	}
	if telling < len(args) {
		args = append(args[:telling], nothing)
	}
	return row.Name + "(" + strings.Join(args, ", ") + ")"
}
