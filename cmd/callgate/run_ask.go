package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/ask"
	"github.com/callgate/callgate/internal/guard"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/sys"
)

// asking has somebody decide about what would be refused. A nil one asks nothing.
type asking struct {
	guard.Ask
	saver   *saver        // nil where nothing is saved
	console *jail.Console // where the program gets a terminal of its own
	absent  error         // why there is no terminal to ask on
	planned bool          // nothing is run
}

// newAsking returns nil where no flag asks for it.
func (o *runOptions) newAsking() (*asking, error) {
	if !o.ask && o.askFD == "" {
		if o.save != "" || o.askTimeout != "" {
			return nil, errors.New("--save and --ask-timeout: nothing is asked: add --ask")
		}
		return nil, nil
	}
	a := &asking{planned: o.plan}
	a.At, a.Timeout = 1, time.Minute
	if o.askTimeout != "" {
		if err := readTimeout(&a.Timeout, o.askTimeout); err != nil {
			return nil, fmt.Errorf("--ask-timeout: %w", err)
		}
	}
	var err error
	if a.saver, err = newSaver(o); err != nil {
		return nil, err
	}
	file := ""
	if a.saver != nil {
		file, a.Save = a.saver.shown, a.saver.save
	}
	return a, a.setAsker(o, file)
}

// setAsker finds who answers.
func (a *asking) setAsker(o *runOptions, file string) error {
	switch {
	case o.askFD != "":
		peer, err := openPeer(o.askFD, o.descriptors)
		if err != nil {
			return err
		}
		a.Asker, a.At = ask.NewWire(peer, file), maxHeld
	case sys.IsTerminal(os.Stdin) && sys.IsTerminal(os.Stdout) && sys.IsTerminal(os.Stderr):
		a.console = &jail.Console{}
		a.Asker = &ask.Terminal{Console: a.console, File: file}
	default:
		var tty *ask.TTY
		if tty, a.absent = ask.OpenTTY(); a.absent == nil {
			a.Asker = &ask.Terminal{Console: tty, File: file}
		}
	}
	return nil
}

// openPeer takes over the descriptor of whoever answers. The program doesn't get it.
func openPeer(text string, kept []string) (*os.File, error) {
	fd, err := strconv.Atoi(text)
	switch {
	case err != nil || fd <= 2:
		return nil, fmt.Errorf("--ask-fd: %q is not the number of a descriptor beside the standard ones: write 3 or more", text)
	case slices.Contains(kept, text):
		return nil, fmt.Errorf("--ask-fd %d: --fd gives it to the program, which could answer itself: leave one out", fd)
	case !inherited(fd):
		return nil, fmt.Errorf("--ask-fd: descriptor %d is not open: start callgate with a socket as this descriptor", fd)
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_ACCMODE != syscall.O_RDWR {
		return nil, fmt.Errorf("--ask-fd: descriptor %d carries bytes one way: make it a socket (socketpair(2))", fd)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "--ask-fd "+text), nil
}

// begin has an answer end the run, and what goes wrong told. It returns the channel
// for signals that are caught: those that end a run end questions on their way.
func (a *asking) begin(spec *jail.Spec, signals chan<- os.Signal, stderr io.Writer) chan<- os.Signal {
	if a == nil || a.planned {
		return signals
	}
	end := "\n"
	if a.console != nil {
		spec.Terminal, spec.Console = true, a.console
		end = "\r\n" // the terminal is raw then
	}
	a.Tell = func(err error) {
		text := strings.ReplaceAll(strings.TrimSuffix(err.Error(), "\n"), "\n", end)
		fmt.Fprintf(stderr, "callgate: --ask: %s%s", text, end)
	}
	if a.absent != nil {
		fmt.Fprintf(stderr, "callgate: --ask: there is no terminal to ask on (%v): what would be asked is refused: name a program that answers with --ask-fd\n", a.absent)
	}
	a.Quit = func() { quit(signals) }
	caught := make(chan os.Signal, cap(signals))
	go func() {
		for s := range caught {
			if slices.Contains(ending, s) {
				a.Withdraw()
			}
			signals <- s
		}
	}()
	return caught
}

// ending are the signals that are sent to end a program.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// quitGrace is how long the program may take to end after the answer "quit".
const quitGrace = 2 * time.Second

// quit ends the program as its time-out would.
func quit(signals chan<- os.Signal) {
	send := func(s os.Signal) {
		select {
		case signals <- s:
		default: // so many wait that it ends anyway
		}
	}
	send(syscall.SIGTERM)
	time.AfterFunc(quitGrace, func() { send(syscall.SIGKILL) })
}

// about is the handler that asks before another refuses.
func (a *asking) about(handler gate.Handler) gate.Handler {
	if a == nil || a.Asker == nil {
		return handler
	}
	a.Handler = handler
	return &a.Ask
}

// serve has the gate hold calls that wait for an answer.
func (a *asking) serve(g *gate.Gate) {
	if a != nil {
		g.Limit += maxHeld
	}
}

// maxHeld is how many calls may wait for an answer at once.
const maxHeld = 64

// settle gives up saving where the program could change what is saved.
func (a *asking) settle(mounts []jail.Mount) error {
	if a == nil || a.saver == nil {
		return nil
	}
	err := a.saver.outOfReach(mounts)
	if err != nil && !a.saver.named { // a policy that may well lie there
		a.saver, a.Save = nil, nil
		return nil
	}
	return err
}
