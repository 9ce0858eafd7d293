package cgroup

import (
	"errors"

	"github.com/callgate/callgate/internal/probe"
)

// Features are the limits that control groups give, each tried by making a
// group with it and removing it again.
func Features() []*probe.Feature { return []*probe.Feature{MemoryLimit, PidsLimit, CPULimit} }

// The limits as features; a full jail needs them only when its policy asks.
var (
	MemoryLimit = &probe.Feature{
		Name: "memory limit", Group: probe.Cgroups,
		For:   "--memory: ends the program instead of the machine",
		Lost:  "a run with a memory limit is refused",
		Probe: func() probe.Finding { return try(Limits{Memory: 1 << 30}) }, Cure: func(err error, _ probe.Surroundings) string { return cure(memory, err) },
	}
	PidsLimit = &probe.Feature{
		Name: "pids limit", Group: probe.Cgroups,
		For:   "--pids: stops fork bombs",
		Lost:  "a run with a pids limit is refused",
		Probe: func() probe.Finding { return try(Limits{Pids: 1 << 10}) }, Cure: func(err error, _ probe.Surroundings) string { return cure(pids, err) },
	}
	CPULimit = &probe.Feature{
		Name: "cpu limit", Group: probe.Cgroups,
		For:   "--cpus: leaves processors to others",
		Lost:  "a run with a cpu limit is refused",
		Probe: func() probe.Finding { return try(Limits{CPUs: 1}) }, Cure: func(err error, _ probe.Surroundings) string { return cure(cpu, err) },
	}
)

func try(limits Limits) probe.Finding {
	system, err := Discover()
	if err != nil {
		return probe.Finding{Err: err}
	}
	g, err := system.Create(limits)
	if err == nil {
		err = g.Remove()
	}
	// The cure is shown apart from the cause.
	var unavailable *Error
	if errors.As(err, &unavailable) {
		err = unavailable.Err
	}
	return probe.Finding{Detail: string(system.Layout()), Err: err}
}
