package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/callgate/callgate/policy"
)

// runFlags are the flags of run that speak of the policy. What they say is a
// document of its own, merged over the presets and files that are named.
type runFlags struct {
	presets, policies []string
	ro, rw, hide      []string
	net               string
	memory, cpus      string
	pids              int
	timeout           time.Duration
	env               []string
	capabilities      []string
	descriptors       []int
	optional          []string
}

// names returns the documents to load, the later over the earlier.
func (f *runFlags) names() []string {
	names := append([]string{}, f.presets...)
	for _, file := range f.policies {
		if !policy.IsFile(file) {
			file = "./" + file
		}
		names = append(names, file)
	}
	if len(names) == 0 {
		names = []string{"default"}
	}
	return names
}

// document returns what the flags say.
func (f *runFlags) document() (*policy.Policy, error) {
	p := &policy.Policy{}
	add := func(list *[]policy.Path, flag string, paths []string) {
		for _, text := range paths {
			text, optional := strings.CutPrefix(text, "-")
			*list = append(*list, policy.Path{Text: text, Optional: optional, At: given(flag)})
		}
	}
	add(&p.Files.ReadOnly, "--ro", f.ro)
	add(&p.Files.Exec, "--ro", f.ro)
	add(&p.Files.ReadWrite, "--rw", f.rw)
	add(&p.Files.Exec, "--rw", f.rw)
	add(&p.Files.Hidden, "--hide", f.hide)
	for _, text := range f.env {
		name, value, set := strings.Cut(text, "=")
		if !set {
			p.Environment.Keep = append(p.Environment.Keep, policy.Name{Text: name, At: given("--env")})
			if value, set = os.LookupEnv(name); !set {
				continue
			}
		}
		p.Environment.Set = append(p.Environment.Set, policy.Variable{Name: name, Value: value, At: given("--env")})
	}
	for _, c := range f.capabilities {
		p.Capabilities = append(p.Capabilities, policy.Name{Text: c, At: given("--cap-add")})
	}
	if len(f.descriptors) > 0 {
		p.Descriptors = policy.Given("--fd", []policy.Descriptor{{Number: 0}, {Number: 1}, {Number: 2}})
		for _, fd := range f.descriptors {
			p.Descriptors.Value = append(p.Descriptors.Value, policy.Descriptor{Number: fd, At: given("--fd")})
		}
	}
	for _, w := range f.optional {
		p.Walls.Optional = append(p.Walls.Optional, policy.Name{Text: w, At: given("--optional")})
	}
	return p, f.limits(p)
}

func (f *runFlags) limits(p *policy.Policy) error {
	if f.net != "" {
		var mode policy.NetworkMode
		if err := mode.UnmarshalText([]byte(f.net)); err != nil {
			return fmt.Errorf("--net: %w", err)
		}
		p.Network.Mode = policy.Given("--net", mode)
	}
	if f.memory != "" {
		var size policy.Size
		if err := size.UnmarshalText([]byte(f.memory)); err != nil {
			return fmt.Errorf("--memory: %w", err)
		}
		p.Limits.Memory = policy.Given("--memory", size)
	}
	if f.cpus != "" {
		var cpus policy.CPUs
		if err := cpus.UnmarshalText([]byte(f.cpus)); err != nil {
			return fmt.Errorf("--cpus: %w", err)
		}
		p.Limits.CPUs = policy.Given("--cpus", cpus)
	}
	if f.pids != 0 {
		if f.pids < 1 {
			return fmt.Errorf("--pids: %s is not a number of processes: write 1 or more", strconv.Itoa(f.pids))
		}
		p.Limits.Pids = policy.Given("--pids", f.pids)
	}
	if f.timeout != 0 {
		if f.timeout < 0 {
			return fmt.Errorf("--timeout: %v is in the past: write a duration such as 60s", f.timeout)
		}
		p.Limits.Timeout = policy.Given("--timeout", f.timeout)
	}
	return nil
}

func given(flag string) policy.Origin { return policy.Given(flag, 0).At }
