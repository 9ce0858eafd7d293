package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/guard"
)

// explainer says at the end what was refused.
type explainer struct {
	refusals guard.Refusals
	network  *unreached // nil without a relay
}

// say prints what was refused and what would allow it.
func (x *explainer) say(w io.Writer) {
	if x == nil {
		return
	}
	list, omitted := x.refusals.Summary()
	var page strings.Builder
	paint := newPainter(w)
	var network strings.Builder
	x.network.explain(&network, paint)
	if len(list) == 0 && network.Len() == 0 {
		page.WriteString("callgate: nothing was refused\n")
	} else {
		page.WriteString("callgate: refused:\n")
	}
	for _, r := range list {
		fmt.Fprintf(&page, "%s × %s: %s\n", paint.paint(red, strconv.Itoa(r.Count)), strconv.Quote(r.Task.Program), callOf(r.Event))
		explainLines(&page, r.Why.Text, "", r.Why.Rule, r.Why.Cure)
	}
	page.WriteString(network.String())
	if omitted > 0 {
		fmt.Fprintf(&page, "and %d more calls, too different to list\n", omitted)
	}
	io.WriteString(w, page.String())
}

// callOf is the call and its error without the task, which the line names.
func callOf(e event.Event) string { return e.CallString() + " = -1 " + e.Errno.Name() }
