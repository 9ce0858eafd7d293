package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/callgate/callgate/policy"
)

// runFlags are the flags of run that speak of the policy. What they say is a
// document of its own, merged over the presets and files that are named.
type runFlags struct {
	presets, policies []string
	ro, rw, hide      []string
	net, publish      []string
	unix              []string
	memory, cpus      string
	pids, timeout     string
	env               []string
	capabilities      []string
	descriptors       []string
	optional          []string
}

// checkEmpty refuses flags without a value, which a script writes when a variable
// of its own is unset: "no limit" and "this folder" would be wrong guesses.
func checkEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		empty := f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			empty = slices.ContainsFunc(list.GetSlice(), func(s string) bool { return s == "" || s == "-" })
		}
		if empty && err == nil {
			err = fmt.Errorf("--%s: its value is empty: write one, or leave the flag out", f.Name)
		}
	})
	return err
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

// preset returns the only document to load if it is a preset, or "".
func (f *runFlags) preset() string {
	if names := f.names(); len(names) == 1 && !policy.IsFile(names[0]) {
		return names[0]
	}
	return ""
}

// unchanged reports whether no flag says anything over the documents.
func (f *runFlags) unchanged() bool {
	lists := len(f.ro) + len(f.rw) + len(f.hide) + len(f.env) + len(f.capabilities) + len(f.descriptors) + len(f.optional) + len(f.net) + len(f.publish) + len(f.unix)
	return lists == 0 && f.memory+f.cpus+f.pids+f.timeout == ""
}

// document returns what the flags say.
func (f *runFlags) document() (*policy.Policy, error) {
	p := &policy.Policy{}
	var wrong error
	add := func(list *[]policy.Path, flag string, paths []string) {
		for _, text := range paths {
			text, optional := strings.CutPrefix(text, "-")
			path, err := policy.ParsePath(text)
			if err != nil || path.Pattern && list == &p.Files.Exec {
				if list != &p.Files.Exec { // told once
					wrong = errors.Join(wrong, fmt.Errorf("%s: %w", flag, err))
				}
				continue // a pattern says nothing of executing
			}
			path.Optional, path.At = optional, given(flag)
			if !slices.ContainsFunc(*list, func(p policy.Path) bool { return p.Text == path.Text }) || list != &p.Files.Exec {
				*list = append(*list, path)
			}
		}
	}
	add(&p.Files.ReadOnly, "--ro", f.ro)
	add(&p.Files.Exec, "--ro", f.ro)
	add(&p.Files.ReadWrite, "--rw", f.rw)
	add(&p.Files.Exec, "--rw", f.rw)
	add(&p.Files.Hidden, "--hide", f.hide)
	if wrong != nil {
		return nil, wrong
	}
	for _, text := range f.env {
		name, value, set := strings.Cut(text, "=")
		if name == "" {
			return nil, fmt.Errorf("--env: %q names no variable: write NAME or NAME=VALUE", text)
		}
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
			d, err := readDescriptor(fd)
			if err != nil {
				return nil, err
			}
			p.Descriptors.Value = append(p.Descriptors.Value, d)
		}
	}
	for _, w := range f.optional {
		p.Walls.Optional = append(p.Walls.Optional, policy.Name{Text: w, At: given("--optional")})
	}
	return p, f.limits(p)
}

// limits reads the flags that hold a single value.
func (f *runFlags) limits(p *policy.Policy) error {
	return errors.Join(
		readNetwork(p, f.net, f.publish),
		readSockets(p, f.unix),
		read(&p.Limits.Memory, "--memory", f.memory, func(v *policy.Size, text string) error { return v.UnmarshalText([]byte(text)) }),
		read(&p.Limits.CPUs, "--cpus", f.cpus, func(v *policy.CPUs, text string) error { return v.UnmarshalText([]byte(text)) }),
		read(&p.Limits.Pids, "--pids", f.pids, readPids),
		read(&p.Limits.Timeout, "--timeout", f.timeout, readTimeout),
	)
}

// read sets a part of a policy from a flag that was given.
func read[T any](setting *policy.Setting[T], flag, text string, parse func(*T, string) error) error {
	if text == "" {
		return nil
	}
	var value T
	if err := parse(&value, text); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	*setting = policy.Given(flag, value)
	return nil
}

func readPids(v *int, text string) (err error) {
	if *v, err = strconv.Atoi(text); err != nil || *v < 1 {
		return fmt.Errorf("%q is not a number of processes: write 1 or more", text)
	}
	return nil
}

func readTimeout(v *time.Duration, text string) (err error) {
	if *v, err = time.ParseDuration(text); err != nil || *v <= 0 {
		return fmt.Errorf("%q is not a time to run: write one such as 60s or 5m", text)
	}
	return nil
}

// readDescriptor reads a descriptor that callgate was started with.
func readDescriptor(text string) (policy.Descriptor, error) {
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 0 {
		return policy.Descriptor{}, fmt.Errorf("--fd: %q is not a descriptor's number: write 0 or more", text)
	}
	if !inherited(fd) {
		return policy.Descriptor{}, fmt.Errorf("--fd: descriptor %d is not open: open it in the shell, as in: callgate run --fd %d ... %d<FILE", fd, fd, fd)
	}
	return policy.Descriptor{Number: fd, At: given("--fd")}, nil
}

// inherited reports whether a descriptor is open and was not opened by callgate
// itself, whose own close on exec.
func inherited(fd int) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0 && flags&syscall.FD_CLOEXEC == 0
}

func given(flag string) policy.Origin { return policy.Given(flag, 0).At }
