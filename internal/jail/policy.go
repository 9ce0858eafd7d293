package jail

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// hostname is the target's name for its machine.
const hostname = "callgate"

// Outline adds to a Spec what of a policy must be known before the namespaces
// are made.
func Outline(s *Spec, p *policy.Policy) {
	s.Hostname = hostname
	s.HostNetwork = p.Network.Mode.Value == policy.HostNetwork
	s.ownDev = p.Files.Dev.Value == policy.Private &&
		!slices.ContainsFunc(p.Files.Hidden, func(path policy.Path) bool { return path.Text == "/dev" })
}

// Apply adds to a Spec what a policy asks for on this host: all but the
// program, its environment and streams, the filter and the cgroup, and what
// Outline added. Paths are
// resolved now; an error names the line of the policy and the cure.
func Apply(s *Spec, p *policy.Policy, t policy.Target) (err error) {
	if s.Mounts, s.absent, err = mountsOf(p, t); err != nil {
		return err
	}
	if s.Capabilities, err = CapabilitiesOf(p); err != nil {
		return err
	}
	s.UID, s.GID, s.Umask = -1, -1, umask()
	s.Dir = t.Dir
	if !s.shows(t.Dir) {
		s.Dir, s.From = "/", t.Dir
	}
	s.Ports = Ports{Bind: portsOf(p.Network.Bind), Connect: connectPorts(&p.Network)}
	s.Timeout = p.Limits.Timeout.Value
	for _, l := range p.Limits.Rlimits {
		s.Limits = append(s.Limits, Limit{slices.Index(policy.RlimitNames[:], l.Name), l.Soft, l.Hard})
	}
	for _, d := range p.Descriptors.Value {
		s.Keep = append(s.Keep, d.Number)
	}
	for _, w := range p.Walls.Optional {
		s.Optional = append(s.Optional, Wall(w.Text))
	}
	return nil
}

// CapabilitiesOf returns the numbers of the capabilities that a policy grants.
func CapabilitiesOf(p *policy.Policy) ([]int, error) {
	var list []int
	for _, name := range p.Capabilities {
		capability, ok := abi.ParseCapability(name.Text)
		if !ok {
			return nil, fmt.Errorf("%s: %q is not a capability", name.At, name.Text)
		}
		list = append(list, int(capability))
	}
	return list, nil
}

func portsOf(s policy.Setting[[]policy.Port]) *[]uint16 {
	if !s.IsSet() {
		return nil
	}
	ports := []uint16{}
	for _, p := range s.Value {
		ports = append(ports, p.Number)
	}
	return &ports
}

// connectPorts are the ports that Landlock keeps; a relay keeps its own.
func connectPorts(n *policy.Network) *[]uint16 {
	if !n.Connect.IsSet() || n.Mode.Value == policy.RelayNetwork {
		return nil
	}
	ports := []uint16{}
	for _, d := range n.Connect.Value {
		if d.IsPort() { // the others were written for another mode: none is the closest that Landlock has
			ports = append(ports, d.Port)
		}
	}
	return &ports
}

// umask returns the caller's file mode mask, which a target inherits.
func umask() int {
	mask := syscall.Umask(0o77)
	syscall.Umask(mask)
	return mask
}
