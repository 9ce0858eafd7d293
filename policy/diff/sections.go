package diff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/policy"
)

// sections compares what is not about calls.
type sections struct {
	a, b    *policy.Policy
	changes []Change
}

// words compares two lists of words, of which more means what sense says.
func (s *sections) words(section, what string, a, b map[string]policy.Origin, more Sense) {
	for _, w := range keys(a) {
		if _, ok := b[w]; !ok {
			s.add(Change{Section: section, What: join(what, w), From: "listed", To: "not listed", Sense: -more, A: a[w]})
		}
	}
	for _, w := range keys(b) {
		if _, ok := a[w]; !ok {
			s.add(Change{Section: section, What: join(what, w), From: "not listed", To: "listed", Sense: more, B: b[w]})
		}
	}
}

func (s *sections) add(c Change) { s.changes = append(s.changes, c) }

func join(what, word string) string { return strings.TrimSpace(what + " " + word) }

func keys(m map[string]policy.Origin) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func names(list []policy.Name) map[string]policy.Origin {
	out := make(map[string]policy.Origin)
	for _, n := range list {
		out[n.Text] = n.At
	}
	return out
}

func descriptors(p *policy.Policy) map[string]policy.Origin {
	out := make(map[string]policy.Origin)
	if !p.Descriptors.IsSet() {
		return map[string]policy.Origin{"0": {}, "1": {}, "2": {}}
	}
	for _, d := range p.Descriptors.Value {
		out[strconv.Itoa(d.Number)] = d.At
	}
	return out
}

func (s *sections) network() {
	a, b := &s.a.Network, &s.b.Network
	if a.Mode.Value != b.Mode.Value {
		s.add(Change{
			Section: "network", What: "mode", From: a.Mode.Value.String(), To: b.Mode.Value.String(),
			Sense: widening(a.Mode.Value, b.Mode.Value), A: a.Mode.At, B: b.Mode.At,
		})
	}
	s.list("network", "families", setting(a.Families, nameText), setting(b.Families, nameText), a.Families.At, b.Families.At)
	s.list("network", "connect", destinations(a, b), destinations(b, a), a.Connect.At, b.Connect.At)
	s.list("network", "unix", setting(a.Unix, pathText), setting(b.Unix, pathText), a.Unix.At, b.Unix.At)
	s.words("network", "publish", publications(a.Publish), publications(b.Publish), Wider)
	s.list("network", "bind", setting(a.Bind, portText), setting(b.Bind, portText), a.Bind.At, b.Bind.At)
}

// widening is the sense of a change of modes: a relay leads to a part of what the
// machine's network does.
func widening(a, b policy.NetworkMode) Sense {
	if a == policy.HostNetwork || b == policy.NoNetwork {
		return Narrower
	}
	return Wider
}

// destinations are those listed under connect. A list that was left out is all
// there is, but of a relay nothing; nor is there any without a network, where that
// is compared with a relay.
func destinations(n, other *policy.Network) []string {
	relay := n.Mode.Value == policy.RelayNetwork || other.Mode.Value == policy.RelayNetwork && n.Mode.Value == policy.NoNetwork
	if relay && !n.Connect.IsSet() {
		return []string{}
	}
	return setting(n.Connect, policy.Destination.String)
}

func publications(list []policy.Publication) map[string]policy.Origin {
	out := make(map[string]policy.Origin)
	for _, p := range list {
		out[p.String()] = p.At
	}
	return out
}

func pathText(p policy.Path) string { return p.Text }
func nameText(n policy.Name) string { return n.Text }
func portText(p policy.Port) string { return strconv.Itoa(int(p.Number)) }

// setting returns the words of a list, or nil if it was left out.
func setting[T any](s policy.Setting[[]T], text func(T) string) []string {
	if !s.IsSet() {
		return nil
	}
	out := []string{}
	for _, v := range s.Value {
		out = append(out, text(v))
	}
	slices.Sort(out)
	return out
}

// list compares two lists, of which one that was left out holds everything.
func (s *sections) list(section, what string, a, b []string, atA, atB policy.Origin) {
	if slices.Equal(a, b) && (a == nil) == (b == nil) {
		return
	}
	c := Change{Section: section, What: what, From: listText(a), To: listText(b), A: atA, B: atB}
	switch {
	case a == nil:
		c.Sense = Narrower
	case b == nil:
		c.Sense = Wider
	default:
		c.Sense = sense(a, b)
	}
	s.add(c)
}

func listText(words []string) string {
	switch {
	case words == nil:
		return "any"
	case len(words) == 0:
		return "none"
	}
	return strings.Join(words, ", ")
}

func (s *sections) limits() {
	a, b := &s.a.Limits, &s.b.Limits
	s.limit("memory", uint64(a.Memory.Value), uint64(b.Memory.Value), size(a.Memory), size(b.Memory), a.Memory.At, b.Memory.At)
	s.limit("pids", uint64(a.Pids.Value), uint64(b.Pids.Value), strconv.Itoa(a.Pids.Value), strconv.Itoa(b.Pids.Value), a.Pids.At, b.Pids.At)
	s.limit("cpus", uint64(a.CPUs.Value), uint64(b.CPUs.Value), cpus(a.CPUs), cpus(b.CPUs), a.CPUs.At, b.CPUs.At)
	s.limit("tmp", uint64(a.Tmp.Value), uint64(b.Tmp.Value), size(a.Tmp), size(b.Tmp), a.Tmp.At, b.Tmp.At)
	s.limit("timeout", uint64(a.Timeout.Value), uint64(b.Timeout.Value), a.Timeout.Value.String(), b.Timeout.Value.String(), a.Timeout.At, b.Timeout.At)
	for _, name := range policy.RlimitNames {
		x, y := rlimit(a.Rlimits, name), rlimit(b.Rlimits, name)
		_, from := x.MarshalEntry()
		_, to := y.MarshalEntry()
		s.limit("rlimits "+name, x.Soft, y.Soft, from, to, x.At, y.At)
		if x.Soft == y.Soft && x.Hard != y.Hard {
			s.limit("rlimits "+name, x.Hard, y.Hard, from, to, x.At, y.At)
		}
	}
}

func size(s policy.Setting[policy.Size]) string {
	text, _ := s.Value.MarshalText()
	return string(text)
}

func cpus(c policy.Setting[policy.CPUs]) string {
	text, _ := c.Value.MarshalText()
	return string(text)
}

func rlimit(list []policy.Rlimit, name string) policy.Rlimit {
	for _, r := range list {
		if r.Name == name {
			return r
		}
	}
	return policy.Rlimit{Name: name}
}

// limit compares two limits; one that was not written is none.
func (s *sections) limit(what string, a, b uint64, from, to string, atA, atB policy.Origin) {
	none := policy.Origin{}
	if atA == none {
		a, from = policy.Unlimited, "none"
	}
	if atB == none {
		b, to = policy.Unlimited, "none"
	}
	if a == b {
		return
	}
	c := Change{Section: "limits", What: what, From: from, To: to, Sense: Wider, A: atA, B: atB}
	if b < a {
		c.Sense = Narrower
	}
	s.add(c)
}

func (s *sections) environment() {
	a, b := &s.a.Environment, &s.b.Environment
	s.words("environment", "keep", names(a.Keep), names(b.Keep), Wider)
	s.words("environment", "drop", names(a.Drop), names(b.Drop), Narrower)
	s.words("environment", "set", variables(a.Set), variables(b.Set), Other)
}

func variables(list []policy.Variable) map[string]policy.Origin {
	out := make(map[string]policy.Origin)
	for _, v := range list {
		out[fmt.Sprintf("%s=%s", v.Name, v.Value)] = v.At
	}
	return out
}
