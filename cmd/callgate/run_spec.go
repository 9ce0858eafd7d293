package main

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/cgroup"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/policy"
)

// compiler returns what makes the seccomp program for the walls present. Where
// namespaces are missing the filter stands in for them as far as it can; where
// a preset's filter is asked for as it is, it was compiled with callgate.
func compiler(p *policy.Policy, target policy.Target, preset string) func(present func(jail.Wall) bool) (filter.Program, error) {
	return func(present func(jail.Wall) bool) (filter.Program, error) {
		if len(standIns(p, present)) == 0 {
			if program, ok := policy.ReadyProgram(preset, target.Arch); ok {
				return program, nil
			}
		}
		rules, err := strict(p, present).Filter(target)
		if err != nil {
			return nil, err
		}
		return rules.Filter.Compile()
	}
}

// strict returns the policy with the rules that stand in for missing walls.
func strict(p *policy.Policy, present func(jail.Wall) bool) *policy.Policy {
	stricter := *p
	stricter.Syscalls.Rules = append(standIns(p, present), p.Syscalls.Rules...)
	return &stricter
}

// standIns are the rules that stand in for missing walls.
func standIns(p *policy.Policy, present func(jail.Wall) bool) (rules []policy.Rule) {
	if p.Network.Mode.Value == policy.NoNetwork && !present(jail.Network) {
		rules = append(rules, refuseSockets("no network namespace", policy.Condition{Not: "AF_UNIX"}))
	}
	if !present(jail.Pids) {
		rules = append(rules, refuseForeignLimits("no pid namespace"))
	}
	if !present(jail.Mounts) && !jail.RefusesUnixSockets() {
		// The user's session bus or a container engine would run programs for
		// the target; connected pairs (socketpair) reach nobody.
		rules = append(rules, refuseSockets("no mount namespace", policy.Condition{Equals: "AF_UNIX"}))
	}
	if !present(jail.Mounts) && !jail.RefusesTruncation() {
		rules = append(rules, refuseTruncation("no mount namespace")...)
	}
	return rules
}

// refuseTruncation keeps files that may only be read from being emptied: the
// calls that need no right to write to do so.
func refuseTruncation(why string) []policy.Rule {
	at := given(why)
	named := func(names ...string) (calls []policy.Name) {
		for _, name := range names {
			calls = append(calls, policy.Name{Text: name, At: at})
		}
		return calls
	}
	return []policy.Rule{
		{Then: policy.Do(filter.Errno(abi.EACCES)), Calls: named("truncate"), At: at},
		{Then: policy.Do(filter.Errno(abi.ENOSYS)), Calls: named("openat2"), At: at}, // its flags lie in memory
		{
			Then: policy.Do(filter.Errno(abi.EACCES)), Calls: named("open", "openat"), At: at,
			When: []policy.Condition{{Arg: policy.Name{Text: "flags", At: at}, Mask: "O_ACCMODE|O_TRUNC", Equals: "O_RDONLY|O_TRUNC", At: at}},
		},
	}
}

func refuseSockets(why string, family policy.Condition) policy.Rule {
	at := given(why)
	family.Arg, family.At = policy.Name{Text: "family", At: at}, at
	return policy.Rule{
		Then:  policy.Do(filter.Errno(abi.EACCES)),
		Calls: []policy.Name{{Text: "socket", At: at}},
		When:  []policy.Condition{family},
		At:    at,
	}
}

// refuseForeignLimits keeps a program from starving others of its user's.
func refuseForeignLimits(why string) policy.Rule {
	at := given(why)
	return policy.Rule{
		Then:  policy.Do(filter.Errno(abi.EPERM)),
		Calls: []policy.Name{{Text: "prlimit64", At: at}},
		When: []policy.Condition{
			{Arg: policy.Name{Text: "pid", At: at}, Not: "0", At: at},
			{Arg: policy.Name{Text: "new_rlim", At: at}, Not: "0", Bits: 64, At: at},
		},
		At: at,
	}
}

func limitsOf(p *policy.Policy) cgroup.Limits {
	return cgroup.Limits{
		Memory: int64(p.Limits.Memory.Value),
		Pids:   int64(p.Limits.Pids.Value),
		CPUs:   float64(p.Limits.CPUs.Value) / 1000,
	}
}

// setUser reads "USER[:GROUP]", names or numbers, into the Spec. The group is
// the user's own when left out.
func setUser(s *jail.Spec, text string) (err error) {
	if text == "" {
		return nil
	}
	name, group, both := strings.Cut(text, ":")
	if name == "" || both && group == "" {
		return fmt.Errorf("--user %q: a name is missing: write USER or USER:GROUP, names or numbers", text)
	}
	s.UID, s.GID, err = lookupUser(name)
	if err == nil && both {
		s.GID, err = lookupGroup(group)
	}
	if err != nil {
		return fmt.Errorf("--user %q: %w: write USER or USER:GROUP, names or numbers", text, err)
	}
	return nil
}

func lookupUser(name string) (uid, gid int, err error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), int(n), nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, _ = strconv.Atoi(found.Uid)
	gid, _ = strconv.Atoi(found.Gid)
	return uid, gid, nil
}

func lookupGroup(name string) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	found, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Gid)
}
