package guard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

func refused(program, call string, args ...uint64) event.Event {
	number, _ := abi.AMD64.Number(call)
	e := event.Event{Task: event.Task{Program: program}, Call: abi.Call{Arch: abi.AMD64, Nr: number}, Outcome: event.Refused, Errno: abi.EPERM}
	copy(e.Call.Args[:], args)
	e.Why = event.Why{Text: "no rule allows " + call, Rule: "default:8"}
	if call == "socket" && args[0] == 17 {
		e.Why = event.Why{Text: "no raw sockets", Rule: "mine:4"}
	}
	return e
}

// summary lists what a Refusals says, as lines.
func summary(r *Refusals) (lines []string, omitted int) {
	list, omitted := r.Summary()
	for _, one := range list {
		row, _ := one.Call.Syscall()
		lines = append(lines, fmt.Sprintf("%d %s %s: %s (%s)", one.Count, one.Task.Program, row.Name, one.Why.Text, one.Why.Rule))
	}
	return lines, omitted
}

func TestRefusalsFold(t *testing.T) {
	var r Refusals
	for i := range uint64(100) {
		r.Observe(refused("python3", "socket", 16, 3, i%2)) // two kinds, for one reason
		r.Observe(refused("python3", "mount", 4096*i))      // addresses make no kinds
	}
	r.Observe(refused("python3", "socket", 17))
	r.Observe(refused("sh", "mount"))
	r.Observe(event.Event{Task: event.Task{Program: "sh"}, Outcome: event.Allowed})
	r.Observe(event.Event{Task: event.Task{Program: "sh"}, Outcome: event.Gone})
	want := []string{
		"100 python3 socket: no rule allows socket (default:8)",
		"100 python3 mount: no rule allows mount (default:8)",
		"1 python3 socket: no raw sockets (mine:4)",
		"1 sh mount: no rule allows mount (default:8)",
	}
	got, omitted := summary(&r)
	if diff := cmp.Diff(want, got); diff != "" || omitted != 0 {
		t.Errorf("%d omitted; (-want +got):\n%s", omitted, diff)
	}
}

// Calls that one reason refuses, each allowed by a rule of its own, are told as one
// with all these rules.
func TestRefusalsJoinRules(t *testing.T) {
	const head = "syscalls:\n  rules:\n"
	var r Refusals
	for i, rule := range []string{"  - a\n", "  - b\n", "  - a\n"} {
		e := refused("sh", "unshare", uint64(i))
		e.Why.Cure = head + rule
		r.Observe(e)
	}
	if list, _ := r.Summary(); len(list) != 1 || list[0].Why.Cure != head+"  - a\n  - b\n" {
		t.Errorf("Summary() = %+v; want one with both rules", list)
	}
	for i := range uint64(100) {
		e := refused("sh", "unshare", 1000+i)
		e.Why.Cure = fmt.Sprintf("%s  - rule %d\n", head, i)
		r.Observe(e)
	}
	if list, _ := r.Summary(); strings.Count(list[0].Why.Cure, "\n") != 2+8 {
		t.Errorf("the cure is %q; want 8 rules", list[0].Why.Cure)
	}
	if got := withRule("files:\n  ro: [/a]\n", "files:\n  ro: [/b]\n"); got != "files:\n  ro: [/a]\n" {
		t.Errorf("files: %q", got)
	}
}

// A program that never makes the same call twice fills no memory.
func TestRefusalsAreBounded(t *testing.T) {
	var r Refusals
	for i := range uint64(5 * maxKinds) {
		r.Observe(refused("flood", "kill", i))
	}
	if len(r.kinds) != maxKinds {
		t.Errorf("%d kinds are kept; want %d", len(r.kinds), maxKinds)
	}
	got, omitted := summary(&r)
	if want := []string{"1000 flood kill: no rule allows kill (default:8)"}; !cmp.Equal(got, want) || omitted != 4*maxKinds {
		t.Errorf("Summary() = %v, %d omitted; want %v, %d", got, omitted, want, 4*maxKinds)
	}
}
