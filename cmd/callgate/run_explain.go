package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/guard"
)

// explainer says at the end what was refused.
type explainer struct {
	refusals guard.Refusals
	network  *unreached // nil without a relay
	json     bool
	path     string   // of the file to write to, or ""
	file     *os.File // that file
}

// told is a writer that keeps its first error.
type told struct {
	to  io.Writer
	err error
}

func (t *told) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.err = cmp.Or(t.err, err)
	return n, err
}

// say prints what was refused and what would allow it, all that a gate saw which
// did not fail.
func (x *explainer) say(w io.Writer, failed error) {
	if x == nil {
		return
	}
	if x.file != nil {
		file := &told{to: x.file}
		defer func(stderr io.Writer) {
			if err := cmp.Or(file.err, x.file.Close()); err != nil {
				fmt.Fprintf(stderr, "callgate: --explain-to: what was refused is not all told: %v: name a file where there is room\n", err)
			}
		}(w)
		w = file
	}
	if x.json {
		x.sayJSON(w, failed)
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
