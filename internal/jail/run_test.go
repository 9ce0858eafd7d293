package jail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/cgroup"
)

// run runs a Spec on a thread that outlives it.
func run(s *Spec, signals <-chan os.Signal) (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return Run(s, signals)
}

// streams gives a Spec null streams but for an output, of which the other end
// is returned.
func streams(t *testing.T, s *Spec) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close(); write.Close(); null.Close() })
	s.Stdin, s.Stdout, s.Stderr = null, write, null
	return read
}

func TestRunReturnsTheTargetsStatus(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	for command, want := range map[string]syscall.WaitStatus{
		"exit 0":        0,
		"exit 7":        7 << 8,
		"kill -KILL $$": syscall.WaitStatus(syscall.SIGKILL),
		"kill -TERM $$": syscall.WaitStatus(syscall.SIGTERM),
		"kill -INT 0":   syscall.WaitStatus(syscall.SIGINT),
	} {
		spec := s.spec(t)
		streams(t, spec)
		spec.Args = []string{"/bin/sh", "-c", command}
		result, err := run(spec, nil)
		if err != nil || result.Status != want || result.TimedOut || len(result.Missing) != 0 {
			t.Errorf("Run(%q) = %+v, %v; want status %#x", command, result, err, want)
		}
	}
}

func TestRunEndsAtTheTimeout(t *testing.T) {
	s := newScene(t)
	spec := s.spec(t)
	streams(t, spec)
	spec.Args = []string{"/bin/sleep", "1000"}
	spec.Timeout = time.Millisecond
	if result, err := run(spec, nil); err != nil || !result.TimedOut {
		t.Errorf("Run = %+v, %v; want the time-out", result, err)
	}
}

func TestRunSaysWhatCannotBeExecuted(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(s.work, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	busy := file("busy", string(program), 0o755)
	writer, err := os.OpenFile(busy, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for _, c := range []struct {
		args  []string
		errno syscall.Errno
	}{
		{[]string{"/no/such/program"}, syscall.ENOENT},
		{[]string{"no-such-program"}, syscall.ENOENT},
		{[]string{s.work + "/no-such-program"}, syscall.ENOENT},
		{[]string{file("text", "text", 0o644)}, syscall.EACCES},
		{[]string{s.work}, syscall.EACCES},
		{[]string{file("garbage", "garbage", 0o755)}, syscall.ENOEXEC},
		{[]string{file("orphan", "#!/no/such/interpreter\n", 0o755)}, syscall.ENOENT},
		{[]string{s.readable}, syscall.EACCES},
		{[]string{s.outside}, syscall.ENOENT},
		{[]string{"/etc/passwd/program"}, syscall.ENOTDIR},
		{[]string{busy}, syscall.ETXTBSY},
		{[]string{"/bin/true", strings.Repeat("x", 1<<20)}, syscall.E2BIG},
	} {
		spec := s.spec(t)
		streams(t, spec)
		spec.Args = c.args
		result, err := run(spec, nil)
		var failed *ExecError
		if !errors.As(err, &failed) || failed.Errno != c.errno || failed.Name != c.args[0] || failed.Cure == "see execve(2)" {
			t.Errorf("Run(%.60q) = %+v, %v; want an ExecError with %v and a cure", c.args, result, err, c.errno)
		}
	}
}

// A filter that ends the starting process must not look like a target's own end
// without error, nor leave anything behind.
func TestRunOfATargetThatDiesAtExec(t *testing.T) {
	s := newScene(t)
	spec := s.spec(t)
	streams(t, spec)
	spec.Args = []string{"/bin/true"}
	spec.Filter = func(func(Wall) bool) (filter.Program, error) {
		return filter.Program{{Code: 6, K: uint32(filter.ActionKillProcess)}}, nil
	}
	result, err := run(spec, nil)
	if err != nil || !result.Status.Signaled() || result.Status.Signal() != syscall.SIGSYS {
		t.Errorf("Run = %+v, %v; want the end by SIGSYS", result, err)
	}
}

// TestInside looks around from within.
func TestInside(t *testing.T) {
	needsNamespaces(t)
	s := newScene(t)
	spec := s.spec(t)
	spec.Umask = 0o27
	spec.Capabilities = []int{10} // CAP_NET_BIND_SERVICE
	spec.Limits = append(spec.Limits, Limit{Resource: syscall.RLIMIT_NOFILE, Soft: 77, Hard: 88})
	spec.Env = []string{"PATH=/usr/bin:/bin", "NAME=value"}
	output := streams(t, spec)
	spec.Args = []string{"sh", "-c", `pwd; umask; ulimit -Sn; ulimit -Hn; hostname; echo "$$"
		sed -n 's/^\(Cap...\|NoNewPrivs\|Seccomp\|Sig[BIC][lgt][kna]*\):\t*/\1 /p' /proc/self/status
		ls /proc | grep -c '^[0-9]'; cat /proc/sys/kernel/hostname; ls /dev; env`}
	if result, err := run(spec, nil); err != nil || result.Status != 0 {
		t.Fatalf("Run = %+v, %v", result, err)
	}
	spec.Stdout.Close()
	text, err := io.ReadAll(output)
	if err != nil {
		t.Fatal(err)
	}
	const bind, none = "0000000000000400", "0000000000000000"
	want := strings.Join([]string{
		s.work, "0027", "77", "88", "callgate", "2",
		"CapInh " + bind, "CapPrm " + bind, "CapEff " + bind, "CapBnd " + bind, "CapAmb " + bind,
		"NoNewPrivs 1", "Seccomp 2",
	}, "\n")
	got := string(text)
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains("\n"+got, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	for _, variable := range []string{"NAME=value"} {
		if !strings.Contains(got, variable) {
			t.Errorf("no variable %q", variable)
		}
	}
	devices := "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"
	if !strings.Contains(got, devices) {
		t.Errorf("/dev holds something else than %q", devices)
	}
	if t.Failed() {
		t.Logf("the target wrote:\n%s", got)
	}
}

func TestRunAsAnotherUser(t *testing.T) {
	needsRoot("to become another user")(t)
	s := newScene(t)
	s.target.Home = "/home/callgate-test"
	spec := s.spec(t)
	spec.UID, spec.GID = 65534, 65533
	output := streams(t, spec)
	spec.Args = []string{"sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status; cat /etc/shadow || echo refused; cd " + s.target.Home + "; stat -c '%a %u %g' .; touch new"}
	if result, err := run(spec, nil); err != nil || result.Status != 0 {
		t.Fatalf("Run = %+v, %v", result, err)
	}
	spec.Stdout.Close()
	text, _ := io.ReadAll(output)
	want := "65534\n65533\n65533\nCapEff:\t0000000000000000\nrefused\n700 65534 65533\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("as another user (-want +got):\n%s", diff)
	}
}

// Streams that a Spec leaves out are /dev/null.
func TestStreamsLeftOut(t *testing.T) {
	s := newScene(t)
	spec := s.spec(t)
	spec.Args = []string{"sh", "-c", `for n in 0 1 2; do [ "$(readlink /proc/$$/fd/$n)" = /dev/null ] || exit 1; done; read x; exit 3`}
	if result, err := run(spec, nil); err != nil || result.Status.ExitStatus() != 3 {
		t.Errorf("Run without streams = %+v, %v; want exit code 3", result, err)
	}
}

// A caller that takes signals from Starting on misses none that is meant for the
// target: there is no target before.
func TestStartingComesBeforeTheTarget(t *testing.T) {
	s := newScene(t)
	spec := s.spec(t)
	output := streams(t, spec)
	spec.Args = []string{"/bin/echo", "here"}
	spec.Starting = func() error {
		output.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // a target that is there would write
		if n, err := output.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the target wrote before Starting returned: %d, %v", n, err)
		}
		return nil
	}
	if _, err := run(spec, nil); err != nil {
		t.Error(err)
	}
}

func TestSignalsReachTheTarget(t *testing.T) {
	s := newScene(t)
	// A shell can't trap what it was born to ignore, as below nohup.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP) })
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH} {
		spec := s.spec(t)
		output := streams(t, spec)
		number := strconv.Itoa(int(sig))
		spec.Args = []string{"sh", "-c", `trap "echo caught; exit 9" ` + number + `; echo ready; while :; do sleep 0.01; done`}
		signals := make(chan os.Signal, 1)
		ended := make(chan error, 1)
		go func() {
			result, err := run(spec, signals)
			if err == nil && result.Status.ExitStatus() != 9 {
				err = fmt.Errorf("status %#x; want exit code 9", result.Status)
			}
			ended <- err
		}()
		lines := bufio.NewReader(output)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%v: %q, %v; want ready", sig, line, err)
		}
		signals <- sig
		if err := <-ended; err != nil {
			t.Errorf("%v: %v", sig, err)
		}
		if line, err := lines.ReadString('\n'); line != "caught\n" {
			t.Errorf("%v: %q, %v; want caught", sig, line, err)
		}
	}
}

// Signals that interrupt the starting program at any moment change nothing.
func TestStartsInAStormOfSignals(t *testing.T) {
	s := newScene(t)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	defer signal.Stop(caught)
	stop := make(chan struct{})
	stormed := make(chan struct{})
	go func() {
		defer close(stormed)
		for {
			select {
			case <-stop:
				return
			case <-caught:
			default:
				syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			}
		}
	}()
	for range 20 {
		spec := s.spec(t)
		streams(t, spec)
		spec.Args = []string{"/bin/sh", "-c", "exit 5"}
		if result, err := run(spec, nil); err != nil || result.Status.ExitStatus() != 5 {
			t.Errorf("Run = %+v, %v; want exit code 5", result, err)
		}
	}
	close(stop)
	<-stormed
}

// A control group's limits are the target's: of the processes, init is none.
func TestGroupHoldsTheTargetAlone(t *testing.T) {
	needsRoot("to make a control group")(t)
	group, err := cgroup.Create(cgroup.Limits{Pids: 1})
	if err != nil {
		t.Skipf("kernel lacks: a pids controller: %v", err)
	}
	t.Cleanup(func() {
		group.Kill()
		if err := group.Remove(); err != nil {
			t.Error(err)
		}
	})
	s := newScene(t)
	for command, want := range map[string]int{"exit 3": 3, "/bin/true; exit 3": 2} { // sh: cannot fork
		spec := s.spec(t)
		streams(t, spec)
		spec.Args = []string{"/bin/sh", "-c", command}
		spec.Procs = group.Procs()
		if result, err := run(spec, nil); err != nil || result.Status.ExitStatus() != want {
			t.Errorf("Run(%q) = %+v, %v; want exit code %d", command, result, err, want)
		}
	}
}

// insideStop marks the test binary started anew to be stopped.
const insideStop = "CALLGATE_TEST_INSIDE_STOP"

// A stop from the terminal stops both the caller and the target, and going on
// lets both go on.
func TestStopAndContinue(t *testing.T) {
	if os.Getenv(insideStop) != "" {
		beStopped(t)
		return
	}
	command := exec.Command(testBinary(t), "-test.run=^TestStopAndContinue$", "-test.v")
	command.Env = append(os.Environ(), insideStop+"=1")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Process.Kill()
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasSuffix(lines.Text(), "ready") {
	}
	pid := command.Process.Pid
	syscall.Kill(pid, syscall.SIGTSTP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("after SIGTSTP: status %#x, %v; want it stopped", status, err)
	}
	for target := youngest(pid); state(target) != "T"; { // ends with the test's own time limit
	}
	syscall.Kill(pid, syscall.SIGCONT)
	io.WriteString(input, "go on\n")
	rest, _ := io.ReadAll(output)
	if err := command.Wait(); err != nil {
		t.Errorf("after SIGCONT: %v\n%s", err, rest)
	}
}

// beStopped runs a target that waits for a line.
func beStopped(t *testing.T) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTSTP, syscall.SIGCONT)
	s := newScene(t)
	spec := s.spec(t)
	spec.Stdin, spec.Stdout, spec.Stderr = os.Stdin, os.Stdout, os.Stderr
	spec.Args = []string{"sh", "-c", `echo ready; read line; [ "$line" = "go on" ] && exit 9`}
	if result, err := run(spec, signals); err != nil || result.Status.ExitStatus() != 9 {
		t.Errorf("Run = %+v, %v; want exit code 9", result, err)
	}
}

// youngest returns the last descendant of a process in the line of first
// children.
func youngest(pid int) int {
	for {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		child := 0
		for _, file := range files {
			text, _ := os.ReadFile(file)
			if fields := strings.Fields(string(text)); len(fields) > 0 {
				child, _ = strconv.Atoi(fields[0])
			}
		}
		if child == 0 {
			return pid
		}
		pid = child
	}
}

// state returns a process's state, as proc_pid_stat(5) writes it.
func state(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(text), ") ")
	first, _, _ := strings.Cut(after, " ")
	return first
}
