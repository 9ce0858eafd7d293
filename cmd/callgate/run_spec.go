package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/cgroup"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
)

// compile returns the seccomp program for the walls present. Where namespaces
// are missing the filter stands in for them as far as it can.
func compile(p *policy.Policy, target policy.Target, present func(jail.Wall) bool) (filter.Program, error) {
	alone := *p
	if p.Network.Mode.Value == policy.NoNetwork && !present(jail.Network) {
		alone.Network.Families = policy.Given("no network namespace", []policy.Name{{Text: "unix"}})
	}
	if !present(jail.Mounts) && !jail.RefusesUnixSockets() {
		// The user's session bus or a container engine would run programs for
		// the target; connected pairs (socketpair) reach nobody.
		at := policy.Given("no mount namespace", 0).At
		refuse := policy.Rule{
			Then: policy.Action{Action: filter.Errno(abi.EACCES), Set: true}, At: at,
			Calls: []policy.Name{{Text: "socket", At: at}},
			When:  []policy.Condition{{Arg: policy.Name{Text: "family", At: at}, Equals: "AF_UNIX"}},
		}
		alone.Syscalls.Rules = append([]policy.Rule{refuse}, p.Syscalls.Rules...)
	}
	rules, err := alone.Filter(target)
	if err != nil {
		return nil, err
	}
	return rules.Filter.Compile()
}

func limitsOf(p *policy.Policy) cgroup.Limits {
	return cgroup.Limits{
		Memory: int64(p.Limits.Memory.Value),
		Pids:   int64(p.Limits.Pids.Value),
		CPUs:   float64(p.Limits.CPUs.Value) / 1000,
	}
}

// setUser reads "UID[:GID]" into the Spec; the group is the user's number when
// left out.
func setUser(s *jail.Spec, text string) error {
	if text == "" {
		return nil
	}
	user, group, both := strings.Cut(text, ":")
	if !both {
		group = user
	}
	uid, errUser := strconv.ParseUint(user, 10, 31)
	gid, errGroup := strconv.ParseUint(group, 10, 31)
	if errUser != nil || errGroup != nil {
		return fmt.Errorf("--user %q: write numbers, UID or UID:GID", text)
	}
	s.UID, s.GID = int(uid), int(gid)
	return nil
}
