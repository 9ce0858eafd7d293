package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

// defaultTests are the packages whose tests ask the kernel something.
var defaultTests = []string{
	"./abi", "./filter", "./internal/sys", "./internal/probe", "./internal/cgroup", "./internal/jail", "./cmd/callgate",
}

// Where things lie in the machine.
const (
	guestTree = "/src"            // the project's files
	guestBin  = "/usr/local/bin/" // callgate
)

// build compiles callgate, the machine's init and the tests into work, each at
// its place in the machine, and returns the jobs.
func (o *options) build(ctx context.Context, work string) ([]plan.Job, error) {
	compile := func(args ...string) error {
		c := exec.CommandContext(ctx, "go", args...)
		c.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+o.arch.name, "CGO_ENABLED=0")
		_, err := output(c)
		return err
	}
	root := filepath.Join(work, "root")
	if err := compile("build", "-trimpath", "-o", root+guestBin, "./cmd/callgate"); err != nil {
		return nil, err
	}
	if err := compile("build", "-o", root+"/init", "./internal/cmd/vmtest/guest"); err != nil {
		return nil, err
	}
	var jobs []plan.Job
	list := ""
	if len(o.tests) > 0 {
		var err error
		if list, err = output(exec.CommandContext(ctx, "go", append([]string{"list", "-f", "{{.ImportPath}} {{.Dir}}"}, o.tests...)...)); err != nil {
			return nil, err
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(list) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		below, err := filepath.Rel(here, dir)
		if err != nil {
			return nil, err
		}
		binary := filepath.Join(guestTree, below, filepath.Base(path)+".test")
		if err := compile("test", "-c", "-o", root+binary, path); err != nil {
			return nil, err
		}
		if _, err := os.Stat(root + binary); err == nil { // else it has no tests
			jobs = append(jobs, plan.Job{Name: path, Dir: filepath.Dir(binary), Args: append([]string{binary}, o.testFlags()...)})
		}
	}
	if o.command != "" {
		return []plan.Job{{Dir: guestTree, User: o.user, Args: []string{"sh", "-c", o.command}}}, nil
	}
	return o.jobs(jobs), nil
}

func (o *options) testFlags() []string {
	flags := []string{"-test.v", "-test.timeout=" + o.timeout.String()}
	if o.run != "" {
		flags = append(flags, "-test.run="+o.run)
	}
	if o.short {
		flags = append(flags, "-test.short")
	}
	return flags
}

// jobs repeats each job for the users it is to run as.
func (o *options) jobs(jobs []plan.Job) []plan.Job {
	var all []plan.Job
	if !o.user {
		all = append(all, jobs...)
	}
	if !o.root {
		for _, job := range slices.Clone(jobs) {
			job.User = true
			all = append(all, job)
		}
	}
	return all
}
