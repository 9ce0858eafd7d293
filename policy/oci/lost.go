package oci

import (
	"fmt"
	"slices"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// lost lists what a policy says and a profile cannot. Files, network and
// variables of the preset oci, which stand in for a container's, are no loss.
func lost(p *policy.Policy) policy.Problems {
	var out policy.Problems
	add := func(at policy.Origin, cure, format string, args ...any) {
		out = append(out, &policy.Problem{At: at, What: fmt.Sprintf(format, args...), Cure: cure})
	}
	if foreign := p.Syscalls.Foreign; foreign.IsSet() && foreign.Value.Kind() != filter.ActionKillProcess && foreign.Value.Kind() != filter.ActionKillThread {
		add(foreign.At, "", "syscalls.foreign: %s is lost: runtimes kill a thread that makes a foreign call", foreign.Value)
	}
	bare := isContained(p)
	if !bare && !opensEverything(&p.Files) {
		add(firstPath(&p.Files), "give the container the mounts", "files is lost: a profile speaks of calls alone")
	}
	n := &p.Network
	if !bare && n.Mode.Value == policy.NoNetwork {
		add(n.Mode.At, "give the container a network of its own", "network.mode is lost: the profile reaches whatever network the container has")
	}
	if !bare && n.Mode.Value == policy.RelayNetwork {
		add(n.Mode.At, "give the container a network, and use a firewall", "network.mode is lost: no engine relays by name")
	}
	if n.Connect.IsSet() || n.Bind.IsSet() {
		at := n.Connect.At
		if !n.Connect.IsSet() {
			at = n.Bind.At
		}
		add(at, "use a firewall", "network's ports are lost: a filter does not see them")
	}
	l := &p.Limits
	for _, limit := range []struct {
		key string
		at  policy.Origin
	}{{"memory", l.Memory.At}, {"pids", l.Pids.At}, {"cpus", l.CPUs.At}, {"tmp", l.Tmp.At}, {"timeout", l.Timeout.At}} {
		if limit.at != (policy.Origin{}) {
			add(limit.at, "give the container's configuration the limit", "limits.%s is lost", limit.key)
		}
	}
	if len(l.Rlimits) > 0 {
		add(l.Rlimits[0].At, "give the container's configuration the limits", "limits.rlimits is lost")
	}
	if at, restricts := environment(&p.Environment); !bare && restricts {
		add(at, "give the container's configuration the variables", "environment is lost")
	}
	if len(p.Capabilities) > 0 {
		add(p.Capabilities[0].At, "grant them to the container", "capabilities is lost: a profile grants none")
	}
	if p.Descriptors.IsSet() {
		add(p.Descriptors.At, "", "descriptors is lost")
	}
	return out
}

// isContained reports whether a policy has the files, network and variables of
// the preset oci.
func isContained(p *policy.Policy) bool {
	around, _ := policy.Preset("oci")
	return !p.Files.HasPatterns() && p.Network.Mode.Value == around.Network.Mode.Value && !p.Network.Families.IsSet() &&
		len(p.Environment.Set)+len(p.Environment.Drop) == 0 &&
		slices.EqualFunc(p.Environment.Keep, around.Environment.Keep, func(a, b policy.Name) bool { return a.Text == b.Text }) &&
		slices.EqualFunc(p.Mounts(policy.Target{}), around.Mounts(policy.Target{}), func(a, b policy.Mount) bool { return a.String() == b.String() })
}

// opensEverything reports whether the files restrict nothing.
func opensEverything(f *policy.Files) bool {
	return len(f.ReadWrite) == 1 && f.ReadWrite[0].Text == "/" && len(f.ReadOnly)+len(f.Hidden)+len(f.Digests)+len(f.Content) == 0 && !f.HasPatterns()
}

// firstPath returns where the files begin.
func firstPath(f *policy.Files) policy.Origin {
	for _, list := range [][]policy.Path{f.Exec, f.ReadOnly, f.ReadWrite, f.Hidden} {
		if len(list) > 0 {
			return list[0].At
		}
	}
	return f.Tmp.At
}

// environment returns where the environment begins, and whether it is another
// than the one outside.
func environment(e *policy.Environment) (policy.Origin, bool) {
	switch {
	case len(e.Set) > 0:
		return e.Set[0].At, true
	case len(e.Drop) > 0:
		return e.Drop[0].At, true
	case len(e.Keep) == 0:
		return policy.Origin{}, true // the program gets no variable
	}
	return e.Keep[0].At, len(e.Keep) > 1 || e.Keep[0].Text != "*"
}
