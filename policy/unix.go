package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// Sockets are the UNIX sockets that a policy lists, resolved for a target.
type Sockets struct {
	names    *Patterns
	at       Origin
	abstract bool
}

// Sockets returns the sockets that a program may connect to, besides its own; nil
// where the policy has no list, and leaves that to its files. As for
// [Policy.Patterns], resolve follows links; nil takes paths as they are. The error
// is of type [Problems].
func (p *Policy) Sockets(t Target, resolve func(folder string) string) (*Sockets, error) {
	list := p.Network.Unix
	if !list.IsSet() {
		return nil, nil
	}
	t = t.complete(p)
	s := &Sockets{names: &Patterns{}, at: list.At, abstract: p.Network.Mode.Value != HostNetwork}
	var problems Problems
	for _, item := range list.Value {
		text := escape(t.expand(item.Text))
		if item.Pattern {
			text = t.expandPattern(item.Text)
		}
		if !s.names.add(text, Read, item.At, resolve) {
			problems.add(item.At, "list a folder above it", "%s lies more than %d folders deep", item.Text, maxPatternParts)
		}
	}
	return s, problems.Err()
}

// Lists reports whether a socket stands in the list by its absolute, clean path, or
// lies in a folder that does.
func (s *Sockets) Lists(name string) bool {
	_, ok := s.names.Decide(name)
	return ok
}

// Abstract reports whether abstract sockets (unix(7)) are the program's own: they
// belong to the network.
func (s *Sockets) Abstract() bool { return s.abstract }

// Missing is the answer to a connection to a socket that is not listed. An
// abstract socket's name begins with '@'; no line lists it.
func (s *Sockets) Missing(name string) Answer {
	a := Answer{
		Action: Do(errnoAction(abi.EACCES)), Wall: WallNetwork, At: s.at,
		Reason: fmt.Sprintf("the network section does not list %s under unix", printable(name)),
	}
	switch {
	case name != "" && name[0] == '@':
		a.Reason = "abstract UNIX sockets are the machine's, and can't be listed"
	case writable(name):
		a.Cure = fmt.Sprintf("network:\n  unix: [%s]\n", quoted(escape(name)))
	}
	return a
}

// unixSocket answers for a connection to a UNIX socket that the program sees: what
// lies in memory of its own nobody else has made.
func (j *Judge) unixSocket(q Question) (a Answer, refused bool) {
	name := j.target.expand(q.Path)
	mount, _ := mountOf(j.mounts, name)
	if q.Call != "connect" || j.sockets == nil || mount.Kind == Tmpfs || j.sockets.Lists(name) {
		return a, false
	}
	a = j.sockets.Missing(q.Path)
	return a, true
}

// withSocketCure has a socket that the program doesn't see be listed, where there is
// a list: that shows it.
func (j *Judge) withSocketCure(a Answer, q Question) Answer {
	if q.Call == "connect" && j.sockets != nil && a.Cure != "" {
		a.Cure = j.sockets.Missing(q.Path).Cure
	}
	return a
}

// refusedPast returns the rules that a list of UNIX sockets puts before all others:
// what goes past whoever decides by it. A socket for datagrams sends to any other
// without connecting, as SOCK_RAW, which is the same, does.
func (n *Network) refusedPast() []Rule {
	if !n.Unix.IsSet() {
		return nil
	}
	at := n.Unix.At
	rule := func(then filter.Action, calls []string, when ...Condition) Rule {
		r := Rule{Then: Do(then), When: when, At: at}
		for _, call := range calls {
			r.Calls = append(r.Calls, Name{call, at})
		}
		return r
	}
	rules := []Rule{rule(noSys(), []string{"io_uring_setup", "io_uring_enter", "io_uring_register", "socketcall"})}
	for _, kind := range []Operand{"SOCK_DGRAM", "SOCK_RAW"} {
		rules = append(rules, rule(errnoAction(abi.EACCES), []string{"socket", "socketpair"},
			Condition{Arg: Name{Text: "family", At: at}, Equals: "AF_UNIX", At: at},
			Condition{Arg: Name{Text: "type", At: at}, Mask: "0xf", Equals: kind, At: at}))
	}
	return rules
}

// unixDecides complains of what a list of UNIX sockets can't be kept with.
func (p *Policy) unixDecides() (found Problems) {
	if !p.Network.Unix.IsSet() {
		return nil
	}
	for _, a := range p.Syscalls.Architectures {
		if arch, ok := abi.ParseArch(a.Text); ok && arch > abi.RISCV64 {
			found.add(a.At, "remove it, or network.unix", "the numbering %s is allowed, and the list of UNIX sockets can't be kept for its calls", a.Text)
		}
	}
	return found
}

// unix complains of sockets that can't be listed.
func (c *checker) unix(n *Network) {
	list := n.Unix.Value
	for i, p := range list {
		name := cleanPath(p.Text)
		if slices.ContainsFunc(list[:i], p.same) {
			c.problems.add(p.At, "write it once", "%s stands under unix twice", p.Text)
		}
		switch own := placeKey(name); {
		case own != "":
			c.problems.add(p.At, "list the socket, or the folder in it", "%s stands under unix, and %s: decides about all of it", p.Text, own)
		case isBelow(name, "/proc"), name == "/":
			c.problems.add(p.At, "list the socket itself", "%s stands under unix, which shows what it lists", p.Text)
		case strings.Count(name, "/")+1 > maxPatternParts/2:
			c.problems.add(p.At, "list a folder above it", "%s has more than %d parts", p.Text, maxPatternParts/2)
		}
		if i == maxPatterns {
			c.problems.add(p.At, fmt.Sprintf("write at most %d", maxPatterns), "too many UNIX sockets")
		}
	}
}
