package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/internal/relay"
	"github.com/callgate/callgate/policy"
)

// unreached keeps what the relay refused, repeats as one.
type unreached struct {
	rules   *policy.Network
	record  func(event.Event) error // nil without a log
	mutex   sync.Mutex
	kinds   map[relay.Refusal]*refusedKind
	last    int
	omitted int
}

type refusedKind struct{ count, last int }

// maxUnreached bounds what is kept: a program can ask for as many names as it likes.
const maxUnreached = 1000

// refused is relay.Config's.
func (u *unreached) refused(r relay.Refusal) {
	if u.record != nil {
		u.record(u.event(r))
	}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	kind := u.kinds[r]
	switch {
	case kind != nil:
	case len(u.kinds) == maxUnreached:
		u.omitted++
		return
	default:
		kind = &refusedKind{}
		u.kinds[r] = kind
	}
	u.last++
	kind.count++
	kind.last = u.last
}

// connect notes a connection for which there was no way.
func (u *unreached) connect(host string, port uint16) {
	u.refused(relay.Refusal{Host: host, Port: port})
}

// event is a refusal as the gate would have told it.
func (u *unreached) event(r relay.Refusal) event.Event {
	call, errno := "connect", abi.ECONNREFUSED
	if r.UDP {
		call = "sendto"
	}
	_, number, _ := abi.Native().Find(call)
	return event.Event{
		Time: time.Now(), Call: abi.Call{Arch: abi.Native(), Nr: number}, Outcome: event.Refused, Errno: errno, Why: u.why(r),
	}
}

func (u *unreached) why(r relay.Refusal) event.Why {
	host := r.Host
	if r.Leads.IsValid() {
		host = r.Leads.String()
	}
	reason, cure, at := u.rules.Missing(host, r.Port, r.UDP)
	if r.Leads.IsValid() {
		reason = fmt.Sprintf("%s leads to %s, which is no public address, and no rule lists it", r.Host, r.Leads)
	}
	return event.Why{Text: reason, Wall: policy.WallNetwork, Cure: cure, Rule: at.String()}
}

// list returns what was refused, the last first.
func (u *unreached) list() []relay.Refusal {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	var list []relay.Refusal
	for r := range u.kinds {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b relay.Refusal) int { return cmp.Compare(u.kinds[b].last, u.kinds[a].last) })
	return list
}

// where is a destination as a policy would have it, as far as it is known.
func where(r relay.Refusal) string {
	text := r.Host
	if strings.Contains(text, ":") {
		text = "[" + text + "]"
	}
	if r.Port != 0 {
		text += ":" + strconv.Itoa(int(r.Port))
	}
	if r.UDP {
		text = "udp/" + text
	}
	return text
}

// maxDestinations is how many of them the line names.
const maxDestinations = 3

// say prints in a line that destinations were refused.
func (u *unreached) say(w io.Writer) {
	if u == nil {
		return
	}
	list := u.list()
	if len(list) == 0 {
		return
	}
	var parts []string
	for _, r := range list[:min(len(list), maxDestinations)] {
		parts = append(parts, where(r))
	}
	line := strings.Join(parts, ", ")
	if len(list) > maxDestinations || u.omitted > 0 {
		line += ", and more"
	}
	fmt.Fprintf(w, "callgate: refused to connect to %s; --explain says why\n", line)
}

// explain writes each of them with its reason and its cure, but for connections to
// what is not listed: the gate has seen those, with the program's name.
func (u *unreached) explain(page *strings.Builder, paint painter) {
	if u == nil {
		return
	}
	for _, r := range u.list() {
		if !r.UDP && r.Port != 0 && !r.Leads.IsValid() {
			continue
		}
		why := u.why(r)
		fmt.Fprintf(page, "%s × connect to %s\n", paint.paint(red, strconv.Itoa(u.kinds[r].count)), where(r))
		explainLines(page, why.Text, "", why.Rule, why.Cure)
	}
	if u.omitted > 0 {
		fmt.Fprintf(page, "and %d more connections, too different to list\n", u.omitted)
	}
}
