package jail

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// FromPolicy returns the Spec that a policy asks for on this host, without
// program, streams and cgroup, which the caller adds. Paths are resolved now;
// an error names the line of the policy and the cure.
func FromPolicy(p *policy.Policy, t policy.Target) (*Spec, error) {
	mounts, err := mountsOf(p, t)
	if err != nil {
		return nil, err
	}
	capabilities, err := capabilitiesOf(p)
	if err != nil {
		return nil, err
	}
	s := &Spec{
		Dir: t.Dir, UID: -1, GID: -1, Umask: umask(),
		Hostname:     "callgate",
		Mounts:       mounts,
		HostNetwork:  p.Network.Mode.Value == policy.HostNetwork,
		Capabilities: capabilities,
		Ports:        Ports{Bind: portsOf(p.Network.Bind), Connect: portsOf(p.Network.Connect)},
		Timeout:      p.Limits.Timeout.Value,
	}
	for _, l := range p.Limits.Rlimits {
		s.Limits = append(s.Limits, Limit{slices.Index(policy.RlimitNames[:], l.Name), l.Soft, l.Hard})
	}
	for _, d := range p.Descriptors.Value {
		s.Keep = append(s.Keep, d.Number)
	}
	for _, w := range p.Walls.Optional {
		s.Optional = append(s.Optional, Wall(w.Text))
	}
	return s, nil
}

func capabilitiesOf(p *policy.Policy) ([]int, error) {
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

// umask returns the caller's file mode mask, which a target inherits.
func umask() int {
	mask := syscall.Umask(0o77)
	syscall.Umask(mask)
	return mask
}
