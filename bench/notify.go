package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"

	"github.com/callgate/callgate/bench/measure"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/notify"
	"github.com/callgate/callgate/internal/sys"
)

// How many calls a thread of testdata/stopped.c makes in a turn, and what a
// monitor answers.
const (
	stoppedCalls = 500
	stoppedValue = 42
)

// stopped runs testdata/stopped.c beside a monitor.
type stopped struct{ victim, peer string } // programs

// monitor is how calls are answered: by nobody, by testdata/monitor.c, or by a
// gate of ours.
type monitor struct {
	name      string
	receivers int
	serve     func(s *stopped, m monitor, socket *os.File) (wait func() error, err error)
	apart     bool      // the kernel isn't asked to keep a wake-up on its processor
	pinned    [2]string // the processors that victim and monitor are kept on
}

// monitors are compared with each other: with one, two and four receivers, and
// with threads that run where they run by themselves and by order.
func monitors() (numbers, places []monitor) {
	numbers = []monitor{{name: "not stopped"}}
	for _, receivers := range []int{1, 2, 4} {
		numbers = append(numbers,
			monitor{name: "C, " + plural(receivers, "receiver"), receivers: receivers, serve: (*stopped).servePeer},
			monitor{name: "callgate, " + plural(receivers, "receiver"), receivers: receivers, serve: (*stopped).serveGate})
	}
	places = []monitor{
		{name: "C, without SYNC_WAKE_UP", receivers: 1, serve: (*stopped).servePeer, apart: true},
		{name: "C, kept on one processor", receivers: 1, serve: (*stopped).servePeer, pinned: [2]string{"0", "0"}},
	}
	if runtime.NumCPU() > 1 {
		places = append(places, monitor{name: "C, kept on two processors", receivers: 1, serve: (*stopped).servePeer, pinned: [2]string{"0", "1"}})
	}
	return numbers, places
}

// The measures of section notify.
const (
	oneThread   = "1 thread"
	fourThreads = "4 threads"
)

// notify measures the round trip of a call that a monitor answers.
func (b *bench) notify() error {
	b.Printf("### Stopped calls\n\n")
	if !b.have("cc", "gcc") {
		return nil
	}
	if !b.have("taskset", "util-linux") {
		return nil
	}
	if err := sys.HasNotify(); err != nil {
		b.Printf("This kernel stops no calls for a monitor: %v.\n\n", err)
		return nil
	}
	s := &stopped{}
	var err error
	if s.victim, err = b.compileC("stopped", "-pthread"); err != nil {
		return err
	}
	if s.peer, err = b.compileC("monitor", "-pthread"); err != nil {
		return err
	}
	numbers, places := monitors()
	all := slices.Concat(numbers, places)
	var subjects []measure.Subject
	for _, m := range all {
		subjects = append(subjects, measure.Subject{Name: m.name, Run: func(int) ([]float64, error) { return s.measure(m) }})
	}
	rounds := b.roundsOr(30)
	samples, err := measure.Interleave(rounds, []string{oneThread, fourThreads}, subjects)
	if err != nil {
		return err
	}
	b.Samples("Notify", samples)
	b.Printf("Medians of %s, interleaved, in ns a `getppid` that is answered with %d; a round's value is itself the median of 5 turns of %d calls a thread. "+
		"The C monitor is `bench/testdata/monitor.c`; with no more said, as many receivers as named wait with `SYNC_WAKE_UP`.\n\n",
		plural(rounds, "round"), stoppedValue, stoppedCalls)
	rows := [][]string{{"answered by", oneThread, fourThreads}}
	for _, m := range all {
		rows = append(rows, []string{
			m.name, measure.Nanoseconds(measure.Median(samples.Of(m.name, oneThread))),
			measure.Nanoseconds(measure.Median(samples.Of(m.name, fourThreads))),
		})
	}
	b.Table(rows...)
	// More receivers than processors make no monitor quicker: they are for traps that wait.
	for receivers := 1; receivers <= min(2, runtime.NumCPU()); receivers++ {
		ours, theirs := "callgate, "+plural(receivers, "receiver"), "C, "+plural(receivers, "receiver")
		for _, threads := range samples.Measures {
			b.Bar(threads+", "+ours+" / "+theirs, 1.25, measure.Ratio(samples.Of(ours, threads), samples.Of(theirs, threads)))
		}
	}
	b.Printf("\n")
	return nil
}

// measure returns nanoseconds a call with one thread and with four.
func (s *stopped) measure(m monitor) ([]float64, error) {
	var values []float64
	for _, threads := range []int{1, 4} {
		ns, err := s.run(m, threads)
		if err != nil {
			return nil, err
		}
		values = append(values, ns)
	}
	return values, nil
}

// run has threads make calls that a monitor answers.
func (s *stopped) run(m monitor, threads int) (float64, error) {
	socket := 0
	victim := m.pin(0, s.victim)
	victim.Stderr = os.Stderr
	wait := func() error { return nil }
	if m.serve != nil {
		ours, theirs, err := sys.SocketPair()
		if err != nil {
			return 0, err
		}
		defer theirs.Close()
		victim.ExtraFiles, socket = []*os.File{theirs}, 3
		if wait, err = m.serve(s, m, ours); err != nil {
			return 0, err
		}
	}
	victim.Args = append(victim.Args, strconv.Itoa(socket), strconv.Itoa(threads), strconv.Itoa(stoppedCalls))
	out, err := victim.Output()
	if err != nil {
		return 0, err
	}
	var ns float64
	var answer int
	if _, err := fmt.Sscan(string(out), &ns, &answer); err != nil {
		return 0, fmt.Errorf("the victim says %q: %w", out, err)
	}
	if m.serve != nil && answer != stoppedValue {
		return 0, fmt.Errorf("the victim was answered %d; want %d", answer, stoppedValue)
	}
	return ns, wait()
}

// pin returns a command that runs the program where the monitor says.
func (m monitor) pin(i int, program string) *exec.Cmd {
	if m.pinned[i] == "" {
		return exec.Command(program)
	}
	return exec.Command("taskset", "-c", m.pinned[i], program)
}

// servePeer has the C monitor answer.
func (s *stopped) servePeer(m monitor, socket *os.File) (func() error, error) {
	defer socket.Close()
	flags := "1"
	if m.apart {
		flags = "0"
	}
	cmd := m.pin(1, s.peer)
	cmd.Args = append(cmd.Args, "3", strconv.Itoa(m.receivers), flags)
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, []*os.File{socket}
	return cmd.Wait, cmd.Start()
}

// serveGate has a gate answer.
func (s *stopped) serveGate(m monitor, socket *os.File) (func() error, error) {
	served := make(chan error, 1)
	go func() {
		defer socket.Close()
		served <- serveGate(socket, m.receivers)
	}()
	return func() error { return <-served }, nil
}

func serveGate(socket *os.File, receivers int) error {
	file, err := sys.ReceiveFile(socket, "listener")
	if err != nil {
		return err
	}
	listener, err := notify.Listen(file)
	if err != nil {
		return err
	}
	defer listener.Close()
	answer := gate.HandlerFunc(func(context.Context, *gate.Trap) gate.Verdict { return gate.Return(stoppedValue) })
	g := gate.Gate{Source: listener, Handler: answer, Receivers: receivers}
	return g.Serve(context.Background())
}
