package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/notify"
	"github.com/callgate/callgate/policy"
)

// explainer has what is refused pass a gate, and says at the end what it was.
type explainer struct {
	policy   *policy.Policy
	strict   *policy.Policy // with what stands in for missing walls
	target   policy.Target
	handler  gate.Handler
	refusals guard.Refusals
	serving  sync.WaitGroup
	err      error // why the gate stopped early
}

// watch has the Spec's filter leave its refusals to the gate, and show it the paths
// and ports that the walls in the kernel will judge.
func (x *explainer) watch(spec *jail.Spec) {
	compile := spec.Filter
	spec.Filter = func(present func(jail.Wall) bool) (filter.Program, error) {
		program, err := compile(present)
		if err != nil {
			return nil, err
		}
		x.strict = strict(x.policy, present)
		judge, err := x.strict.Judge(x.target)
		if err != nil {
			return nil, err
		}
		stopping, refuse := guard.Refuse(program)
		mux := &gate.Mux{Otherwise: refuse}
		x.handler = mux
		return guard.Foretell(stopping, x.target.Arch, judge, mux)
	}
}

// serve answers until the last task is gone.
func (x *explainer) serve(file *os.File) {
	listener, err := notify.Listen(file)
	if err != nil {
		x.err = err
		file.Close()
		return
	}
	x.serving.Go(func() {
		g := gate.Gate{Source: listener, Handler: x.handler, Taps: []gate.Tap{&x.refusals}, Receivers: 1}
		x.err = g.Serve(context.Background())
		listener.Close()
	})
}

// say prints what was refused and what would allow it.
func (x *explainer) say(w io.Writer) {
	x.serving.Wait()
	if x.err != nil {
		fmt.Fprintf(w, "callgate: --explain: %v: what was refused since is not told\n", x.err)
	}
	list, omitted := x.refusals.Summary(x.explain)
	var page strings.Builder
	paint := newPainter(w)
	if len(list) == 0 {
		page.WriteString("callgate: nothing was refused\n")
	} else {
		page.WriteString("callgate: refused:\n")
	}
	for _, r := range list {
		fmt.Fprintf(&page, "%s × %s: %s\n", paint.paint(red, strconv.Itoa(r.Count)), strconv.Quote(r.Task.Program), callOf(r.Event))
		explainLines(&page, r.Why.Text, "", r.Why.Rule, r.Why.Cure)
	}
	if omitted > 0 {
		fmt.Fprintf(&page, "and %d more calls, too different to list\n", omitted)
	}
	io.WriteString(w, page.String())
}

// callOf is the call and its error without the task, which the line names.
func callOf(e event.Event) string { return e.CallString() + " = -1 " + e.Errno.Name() }

// explain asks the policy about the registers of a call.
func (x *explainer) explain(call abi.Call) event.Why {
	row, ok := call.Syscall()
	if !ok || call.Arch != x.target.Arch {
		return event.Why{Text: "no call that the policy knows", Wall: policy.WallSeccomp}
	}
	question := policy.Question{Call: row.Name}
	for i := range row.Args {
		value := policy.Operand("0x" + strconv.FormatUint(call.Args[i], 16))
		question.Args = append(question.Args, policy.Arg{Name: strconv.Itoa(i), Value: value})
	}
	answer, err := x.strict.Decide(x.target, question)
	if err != nil || answer.Action.Lets() {
		return event.Why{Text: "the filter refuses it", Wall: policy.WallSeccomp}
	}
	return event.Why{Text: answer.Reason, Rule: origin(answer.At), Wall: answer.Wall, Cure: answer.Cure}
}
