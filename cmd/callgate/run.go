package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/cgroup"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

type runOptions struct {
	runFlags
	workdir      string
	user         string
	tty          bool
	requireFull  bool
	quiet        bool
	plan         bool
	explain      bool
	explainTo    string
	output       string
	audit        string
	auditFailure string
	ask          bool
	askFD        string
	askTimeout   string
	save         string
	untouched    string // the preset whose filter no flag and no file changes
}

func newRunCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [flags] [--] PROGRAM [ARGUMENT...]",
		Short: "Run a program behind a policy",
		Long: `Run a program behind a policy. Without flags the preset "default" holds: the
program sees the system's files read-only, writes in this folder and in a /tmp
of its own, and has no network, no secrets and no privileges.

The exit code is the program's, 128+N when signal N ended it, 124 when it ran
out of time, and 125 (callgate failed), 126 (not executable) or 127 (not found)
when it never ran.`,
		Example: `  callgate run -- npm install
  callgate run --preset agent --net none -- python3 untrusted.py
  callgate run --policy mail.yaml -- ./smtpd
  callgate run --rw . --ro /usr --memory 512M --pids 64 --timeout 60s -- make test`,
	}
	takesProgram(cmd, o.run)
	f := cmd.Flags()
	f.Var((*list)(&o.presets), "preset", "start from this `preset` (callgate policy presets lists them); may be repeated")
	f.Var((*list)(&o.policies), "policy", "apply this policy `file` over the presets; may be repeated")
	f.Var((*list)(&o.ro), "ro", "let the program read, and execute from, this `path`")
	f.Var((*list)(&o.rw), "rw", "let the program read, write, and execute from, this `path`")
	f.Var((*list)(&o.hide), "hide", "hide this `path`, or all that a pattern such as ./**/.env fits")
	f.Var((*list)(&o.net), "net", "let it connect to these `destinations`, as github.com:443,*.npmjs.org:443; or none or host: whose network it has")
	f.Var((*list)(&o.publish), "publish", "have a `port` of the machine lead to one of the program, as 8080:80; may be repeated")
	f.Var((*list)(&o.unix), "unix", "let it connect to the UNIX socket at this `path`, and to no other but its own; or none: to its own alone; may be repeated")
	f.StringVar(&o.memory, "memory", "", "bound its memory to this `size`, such as 512M")
	f.StringVar(&o.pids, "pids", "", "bound its processes and threads to this `number`")
	f.StringVar(&o.cpus, "cpus", "", "bound it to this `number` of processors' time, such as 1.5")
	f.StringVar(&o.timeout, "timeout", "", "end it after this `duration`, such as 60s")
	f.VarP((*list)(&o.env), "env", "e", "keep this variable, or set it: `NAME[=VALUE]`")
	f.Var((*list)(&o.capabilities), "cap-add", "let it keep this `capability`")
	f.Var((*list)(&o.descriptors), "fd", "let it keep this open file descriptor `number`")
	f.StringVarP(&o.workdir, "workdir", "w", "", "start in this `folder`, and take \".\" in policies to be it")
	f.StringVarP(&o.user, "user", "u", "", "run as this user, by name or number: `USER[:GROUP]`")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the program a terminal of its own")
	f.Var((*list)(&o.optional), "optional", "go on without this `wall` where it can't be built")
	f.BoolVar(&o.requireFull, "require-full", false, "refuse to run with fewer walls where namespaces may not be created")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say neither which walls are missing nor, in short, what was refused")
	f.BoolVar(&o.explain, "explain", false, "say at the end what was refused, why, and what would allow it")
	f.StringVar(&o.explainTo, "explain-to", "", "say so in this `file`, and not on standard error")
	f.StringVarP(&o.output, "output", "o", "", "say so as `text or json`")
	f.StringVar(&o.audit, "audit", "", "append what was refused to this `file`, a line of JSON a call")
	f.StringVar(&o.auditFailure, "audit-failure", "", "what becomes of a call that can't be recorded: `refuse` (the default) or continue")
	f.BoolVar(&o.ask, "ask", false, "ask on the terminal before a call is refused")
	f.StringVar(&o.askFD, "ask-fd", "", "ask a program instead, by lines of JSON on this descriptor `number`")
	f.StringVar(&o.askTimeout, "ask-timeout", "", "refuse what is not answered after this `duration` (60s if left out)")
	f.StringVar(&o.save, "save", "", "add what is always allowed to this policy `file` (the last --policy if left out)")
	f.BoolVar(&o.plan, "plan", false, "print the steps that would build the walls, and run nothing")
	return cmd
}

func (o *runOptions) run(args []string, stdout, stderr io.Writer) error {
	p, target, err := o.load()
	if err != nil {
		return exitError{exitFailure, err}
	}
	group, err := o.makeGroup(p, stderr)
	if err != nil {
		return exitError{exitFailure, err}
	}
	defer func() {
		if err := group.Remove(); err != nil {
			fmt.Fprintf(stderr, "callgate: %v\n", err)
		}
	}()
	spec := &jail.Spec{
		Args:  args,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Terminal: o.tty,
		Full:     o.requireFull,
		Procs:    group.Procs(),
		Late:     func(s *jail.Spec) error { return o.fill(s, p, target) },
	}
	monitor, err := o.monitor(p, target)
	if err != nil {
		return exitError{exitFailure, err}
	}
	signals := make(chan os.Signal, 16)
	caught := chan<- os.Signal(signals)
	if monitor != nil {
		monitor.attach(spec)
		caught = monitor.asking.begin(spec, signals, stderr)
	}
	jail.Outline(spec, p)
	unreached := relayNetwork(spec, p, monitor)
	if !o.quiet {
		spec.Degraded = func(missing []jail.Missing) { sayMissing(stderr, missing) }
	}
	if o.plan {
		if err := jail.Print(stdout, spec); err != nil {
			return exitError{exitFailure, err}
		}
		return nil
	}
	spec.Starting = sync.OnceValue(func() error { return sys.CatchSignals(caught, forwarded...) })
	result, err := jail.Run(spec, signals)
	if err := group.Kill(); err != nil {
		fmt.Fprintf(stderr, "callgate: %v\n", err)
	}
	if err != nil {
		return exitError{exitCodeOf(err), err}
	}
	if monitor != nil {
		monitor.say(stderr)
	}
	if !o.quiet && !o.explains() {
		unreached.say(stderr)
	}
	for _, made := range spec.Made() {
		fmt.Fprintf(stderr, "callgate: %v\n", made)
	}
	for _, reason := range group.Reasons() {
		fmt.Fprintf(stderr, "callgate: %s\n", reason)
	}
	if result.TimedOut {
		return exitError{exitTimeout, fmt.Errorf("%s ended: it ran longer than %v", args[0], spec.Timeout)}
	}
	return statusError(result.Status)
}

// homeFolder returns what "~" is in policies, "/" for a user without a home.
func homeFolder() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "/", nil
	}
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("find the home directory: HOME is %q: set it to an absolute path, or unset it", home)
	}
	return filepath.Clean(home), nil
}

// workingFolder returns the absolute path of the folder to start in.
func workingFolder(flag string) (string, error) {
	if flag == "" {
		dir, err := os.Getwd()
		if err != nil {
			return "", fmt.Errorf("find the working directory: %w: go to a folder that exists, or name one with --workdir", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(flag)
	if err != nil {
		return "", fmt.Errorf("--workdir: %w", err)
	}
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("--workdir: %w: make it, or name another", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("--workdir: %q is not a folder: name one", dir)
	}
	return dir, nil
}

// makeGroup makes the control group that the policy's limits need.
func (o *runOptions) makeGroup(p *policy.Policy, stderr io.Writer) (*cgroup.Group, error) {
	group, err := cgroup.Create(limitsOf(p))
	optional := slices.ContainsFunc(p.Walls.Optional, func(w policy.Name) bool { return w.Text == string(jail.Cgroup) })
	if err == nil || !optional {
		return group, err
	}
	if !o.quiet {
		sayMissing(stderr, []jail.Missing{{Wall: jail.Cgroup, Why: err}})
	}
	return cgroup.Create(cgroup.Limits{})
}

// fill adds what the policy says to a Spec.
func (o *runOptions) fill(s *jail.Spec, p *policy.Policy, target policy.Target) error {
	if err := jail.Apply(s, p, target); err != nil {
		return err
	}
	s.Env = p.Environment.Apply(os.Environ())
	s.Filter = compiler(p, target, o.untouched)
	return setUser(s, o.user)
}

// load returns the policy and where it is enforced.
func (o *runOptions) load() (*policy.Policy, policy.Target, error) {
	target := policy.Target{Arch: abi.Native()}
	flags, err := o.document()
	if err != nil {
		return nil, target, err
	}
	if target.Dir, err = workingFolder(o.workdir); err != nil {
		return nil, target, err
	}
	if err := target.Kernel.UnmarshalText([]byte(sys.KernelVersion())); err != nil {
		return nil, target, fmt.Errorf("read the kernel's version: %w", err)
	}
	if target.Home, err = homeFolder(); err != nil {
		return nil, target, err
	}
	p, err := openPoliciesFor(target, o.names()...)
	if err != nil {
		return nil, target, err
	}
	if o.unchanged() {
		o.untouched = o.preset()
		return p, target, nil
	}
	if err := flags.Check(); err != nil { // files were checked as they were read
		return nil, target, err
	}
	if flags.SilentOnCalls() {
		o.untouched = o.preset()
	}
	return policy.Merge(p, flags.Expand(target)), target, nil
}

func sayMissing(w io.Writer, missing []jail.Missing) {
	names := make([]string, len(missing))
	for i, m := range missing {
		names[i] = string(m.Wall)
	}
	fmt.Fprintf(w, "callgate: running without these walls: %s: %v (callgate doctor says the cure)\n",
		strings.Join(names, ", "), missing[0].Why)
}

// forwarded are the signals that a person or a supervisor sends to a program.
var forwarded = []syscall.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT, syscall.SIGALRM,
}

func exitCodeOf(err error) int {
	var exec *jail.ExecError
	switch {
	case !errors.As(err, &exec):
		return exitFailure
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return exitNotFound
	}
	return exitNoAccess
}

func statusError(status syscall.WaitStatus) error {
	switch {
	case status.Signaled():
		return exitError{code: 128 + int(status.Signal())}
	case status.ExitStatus() != 0:
		return exitError{code: status.ExitStatus()}
	}
	return nil
}
