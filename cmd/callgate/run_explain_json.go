package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/jail"
)

// explained is what --explain says, for other programs.
type explained struct {
	Refused  []explainedCall `json:"refused"`
	Omitted  int             `json:"omitted"`  // calls that are not listed: they were of too many kinds
	Complete bool            `json:"complete"` // the gate saw the run to its end
}

type explainedCall struct {
	Count int         `json:"count"`
	Text  string      `json:"text"`  // the call, for people
	Event event.Event `json:"event"` // the first of them
}

// newExplainer returns nil where no flag asks for it.
func (o *runOptions) newExplainer() (*explainer, error) {
	if o.output != "" && o.output != "text" && o.output != "json" {
		return nil, fmt.Errorf("unknown output format %q: it is text or json", o.output)
	}
	if !o.explains() {
		return nil, nil
	}
	x := &explainer{json: o.output == "json", path: o.explainTo}
	if o.plan {
		x.path = "" // nothing is run
	}
	return x, nil
}

// explains reports whether a flag asks what was refused.
func (o *runOptions) explains() bool { return o.explain || o.output != "" || o.explainTo != "" }

// open makes the file, before there is a program that could put something in its
// place, and not where it could do so later.
func (x *explainer) open(mounts []jail.Mount) error {
	if x == nil || x.path == "" {
		return nil
	}
	path, err := realPath(x.path)
	if err != nil {
		return fmt.Errorf("--explain-to: %w", err)
	}
	if folder, ok := writableAt(path, mounts); ok {
		return fmt.Errorf("--explain-to: %q lies in %q, where the program may write: it could put another file in its place: name one elsewhere", x.path, folder)
	}
	if x.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err != nil {
		var cause *os.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return fmt.Errorf("--explain-to: make %q: %w: name a file that can be written", x.path, err)
	}
	return nil
}

// sayJSON prints one line.
func (x *explainer) sayJSON(w io.Writer, failed error) {
	list, omitted := x.refusals.Summary()
	out := explained{Refused: x.network.explained(), Omitted: omitted, Complete: failed == nil}
	for _, r := range list {
		out.Refused = append(out.Refused, explainedCall{r.Count, callOf(r.Event), r.Event})
	}
	if x.network != nil {
		out.Omitted += x.network.omitted
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		fmt.Fprintf(os.Stderr, "callgate: --explain-to: %v\n", err)
	}
}

// explained lists what explain writes.
func (u *unreached) explained() []explainedCall {
	calls := []explainedCall{}
	if u == nil {
		return calls
	}
	for _, r := range u.list() {
		if r.UDP || r.Port == 0 || r.Leads.IsValid() { // the gate has seen the others
			calls = append(calls, explainedCall{u.kinds[r].count, "connect to " + where(r), u.event(r)})
		}
	}
	return calls
}
