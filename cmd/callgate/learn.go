package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

type learnOptions struct {
	output       string
	tighten      bool
	workdir      string
	env          []string
	capabilities []string
	user         string
	tty          bool
	quiet        bool
}

func newLearnCommand() *cobra.Command {
	var o learnOptions
	cmd := &cobra.Command{
		Use:   "learn [flags] [--] PROGRAM [ARGUMENT...]",
		Short: "Watch a program, and write the least policy that lets it work",
		Long: `Watch a program, and write the least policy that lets it work again: the calls
it made and with which requests, the files it read, wrote and executed, the
ports it used. Running it again, with other work to do, adds to the policy what
that work needs; lines that are there stay as they are.

The program is not confined while it is watched: it has your files and your
network. Only its capabilities, and powers by set-user-id programs, are taken.

The exit code is the program's. The policy is written whatever that is.`,
		Example: `  callgate learn -o app.yaml -- make test
  callgate run --policy app.yaml -- make test
  callgate learn --tighten -o app.yaml -- make test`,
	}
	takesProgram(cmd, o.run)
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "write the policy to this `file`, or add to the one that is there; without, it is printed")
	f.BoolVar(&o.tighten, "tighten", false, "also remove from the policy what the program does not use this time")
	f.StringVarP(&o.workdir, "workdir", "w", "", "start in this `folder`, and take \".\" in the policy to be it")
	f.VarP((*list)(&o.env), "env", "e", "let the program have this variable, too: its `NAME`")
	f.Var((*list)(&o.capabilities), "cap-add", "let it keep this `capability`")
	f.StringVarP(&o.user, "user", "u", "", "run as this user, by name or number: `USER[:GROUP]`")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the program a terminal of its own")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say what was added and left out")
	return cmd
}

func (o *learnOptions) run(args []string, stdout, stderr io.Writer) error {
	if o.tighten && o.output == "" {
		return exitError{exitFailure, errors.New("--tighten: there is no policy to make tighter: name it with --output")}
	}
	target, err := o.target()
	if err != nil {
		return exitError{exitFailure, err}
	}
	if err := sys.HasTaskMemory(); err != nil {
		return exitError{exitFailure, fmt.Errorf("learn: read what a program names from its memory: %w: a filter around callgate refuses that: learn outside it, or allow process_vm_readv there", err)}
	}
	lesson, err := newLesson(o, args, target)
	if err != nil {
		return exitError{exitFailure, err}
	}
	result, runErr := o.watch(lesson, args)
	var wall *jail.WallError
	switch {
	case errors.As(runErr, &wall) && wall.Wall == jail.Filter && errors.Is(runErr, syscall.EBUSY):
		return exitError{exitFailure, errors.New("learn: a supervisor around callgate has the one listener that a program may have: learn outside it")}
	case runErr != nil:
		return exitError{exitCodeOf(runErr), runErr}
	}
	if err := lesson.write(stdout, stderr); err != nil {
		return exitError{exitFailure, err}
	}
	return statusError(result.Status)
}

// target is where the program runs.
func (o *learnOptions) target() (policy.Target, error) {
	target := policy.Target{Arch: abi.Native()}
	var err error
	if target.Dir, err = workingFolder(o.workdir); err != nil {
		return target, err
	}
	if real, err := filepath.EvalSymlinks(target.Dir); err == nil {
		target.Dir = real // where the kernel says that relative paths begin
	}
	if target.Home, err = homeFolder(); err != nil {
		return target, err
	}
	if err := target.Kernel.UnmarshalText([]byte(sys.KernelVersion())); err != nil {
		return target, fmt.Errorf("read the kernel's version: %w", err)
	}
	return target, nil
}

// watch runs the program, in the machine's own file tree and network.
func (o *learnOptions) watch(l *lesson, args []string) (jail.Result, error) {
	program, err := l.filter()
	if err != nil {
		return jail.Result{}, err
	}
	spec := &jail.Spec{
		Args: args, Env: l.policy.Environment.Apply(os.Environ()),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Terminal: o.tty,
		Dir: l.target.Dir, UID: -1, GID: -1, HostNetwork: true,
		Only:     []jail.Wall{jail.Capabilities, jail.Filter},
		Filter:   program,
		Listener: l.serve,
	}
	if spec.Capabilities, err = jail.CapabilitiesOf(l.policy); err != nil {
		return jail.Result{}, err
	}
	if err := setUser(spec, o.user); err != nil {
		return jail.Result{}, err
	}
	signals := make(chan os.Signal, 16)
	spec.Starting = sync.OnceValue(func() error { return sys.CatchSignals(signals, forwarded...) })
	result, err := jail.Run(spec, signals)
	l.serving.Wait()
	return result, err
}

// nameOf is what a learnt policy is called.
func (o *learnOptions) nameOf(args []string) string {
	name := filepath.Base(args[0])
	if o.output != "" {
		name = filepath.Base(o.output)
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, ".yaml"), ".yml")
}
