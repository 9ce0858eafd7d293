package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/jail"
	"github.com/callgate/callgate/internal/notify"
	"github.com/callgate/callgate/internal/observe"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/callgate/callgate/policy/learn"
)

// lesson is one learning run, and the document that it ends in.
type lesson struct {
	options *learnOptions
	args    []string
	target  policy.Target
	file    string // without links; "" for standard output
	policy  *policy.Policy
	ledger  *learn.Ledger
	serving sync.WaitGroup
	err     error // why the gate stopped early
}

// newLesson reads the policy that there is, so that mistakes are told before the
// program runs.
func newLesson(o *learnOptions, args []string, target policy.Target) (*lesson, error) {
	l := &lesson{options: o, args: args, target: target, ledger: learn.NewLedger(target.Arch)}
	if o.output != "" {
		var err error
		if l.file, err = realPath(o.output); err != nil {
			return nil, fmt.Errorf("--output: %w", err)
		}
		if info, err := os.Stat(l.file); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("--output: %q is no file: name one", o.output)
		}
		if err := tryFolder(filepath.Dir(l.file)); err != nil {
			return nil, fmt.Errorf("--output: %w: name a file where you may write", err)
		}
	}
	var err error
	_, l.policy, err = l.open()
	return l, err
}

// read returns the document as it is now, or the beginning of a new one.
func (l *lesson) read() ([]byte, error) {
	if l.file != "" {
		text, err := readPolicyFile(l.file)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
		if l.options.tighten {
			return nil, fmt.Errorf("--tighten: %w: learn it first", err)
		}
	}
	return learn.Begin(l.options.nameOf(l.args), strings.Join(l.args, " "), l.target.Kernel)
}

// open reads the document, with the lines that flags ask for, and what it extends.
func (l *lesson) open() ([]byte, *policy.Policy, error) {
	text, err := l.read()
	if err != nil {
		return nil, nil, err
	}
	p, err := l.load(text)
	if err != nil {
		return nil, nil, err
	}
	var additions []document.Addition
	ask := func(have []policy.Name, names []string, key ...string) {
		for _, name := range names {
			if !slices.ContainsFunc(have, func(n policy.Name) bool { return n.Text == name }) {
				additions = append(additions, document.Addition{Key: key, Value: policy.Name{Text: name}})
			}
		}
	}
	ask(p.Environment.Keep, l.options.env, "environment", "keep")
	ask(p.Capabilities, l.options.capabilities, "capabilities")
	if len(additions) == 0 {
		return text, p, nil
	}
	if text, err = document.Amend(l.name(), text, additions); err != nil {
		return nil, nil, err
	}
	p, err = l.load(text)
	return text, p, err
}

func (l *lesson) name() string {
	if l.file == "" {
		return "learnt.yaml"
	}
	return l.options.output
}

// load merges the document with what it extends.
func (l *lesson) load(text []byte) (*policy.Policy, error) {
	name := l.file
	if name == "" {
		name = filepath.Join(l.target.Dir, "learnt.yaml")
	}
	return policy.Load(func(file string) (*policy.Policy, error) {
		if file != name {
			return openDocument(file)
		}
		p, err := document.Parse(l.name(), text)
		if err != nil {
			return nil, err
		}
		return p, p.Check()
	}, name)
}

// filter returns what has the calls pass the gate that teach something.
func (l *lesson) filter() (func(func(jail.Wall) bool) (filter.Program, error), error) {
	watch, err := learn.Watch(l.target)
	if err != nil {
		return nil, err
	}
	program, err := watch.Compile()
	return func(func(jail.Wall) bool) (filter.Program, error) { return program, nil }, err
}

// serve watches until the last task is gone.
func (l *lesson) serve(file *os.File) {
	listener, err := notify.Listen(file)
	if err != nil {
		l.err = err
		return
	}
	g := gate.Gate{Source: listener, Handler: observe.New(l.ledger), Receivers: 1}
	l.serving.Go(func() {
		l.err = g.Serve(context.Background())
		listener.Close()
	})
}

// write adds what was learnt to the document, and says what came of it.
func (l *lesson) write(stdout, stderr io.Writer) error {
	if l.err != nil {
		return fmt.Errorf("the gate stopped early: %w: nothing is written, for it would lack something", l.err)
	}
	if l.file == "" {
		text, notes, err := l.learnt()
		if err == nil {
			_, err = stdout.Write(text)
		}
		l.say(stderr, notes)
		return err
	}
	unlock, err := lockFolder(filepath.Dir(l.file))
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	defer unlock()
	text, notes, err := l.learnt()
	if err != nil {
		return err
	}
	if err := replaceFile(l.file, text); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	l.say(stderr, notes)
	return nil
}

func (l *lesson) say(w io.Writer, notes []string) {
	if l.options.quiet {
		return
	}
	for _, note := range notes {
		fmt.Fprintf(w, "callgate: learn: %s\n", note)
	}
}

// learnt returns the document with what was learnt, and what there is to tell.
func (l *lesson) learnt() ([]byte, []string, error) {
	text, p, err := l.open()
	if err != nil {
		return nil, nil, err
	}
	place := learn.Place{Target: l.target, Exists: isThere, Ports: jail.LimitsPorts()}
	removed := 0
	if l.options.tighten {
		if text, removed, err = l.tighten(text, place); err != nil {
			return nil, nil, err
		}
		if p, err = l.load(text); err != nil {
			return nil, nil, err
		}
	}
	draft, err := l.ledger.Draft(p, place)
	if err != nil {
		return nil, nil, err
	}
	if text, err = document.Amend(l.name(), text, draft.Additions); err != nil {
		return nil, nil, err
	}
	if p, err = l.load(text); err != nil {
		return nil, nil, fmt.Errorf("what was learnt makes no policy: %w", err)
	}
	refused, err := l.ledger.Refused(p, l.target)
	notes := slices.Concat(draft.Notes, refused, l.exposed(p))
	if l.file != "" {
		notes = append(notes, fmt.Sprintf("%s: entries added: %d, removed: %d", l.name(), len(draft.Additions), removed))
	}
	return text, notes, err
}

// tighten takes out of the document what was not used. What it extends stays.
func (l *lesson) tighten(text []byte, place learn.Place) (out []byte, removed int, err error) {
	own, err := document.Parse(l.name(), text)
	if err != nil {
		return nil, 0, err
	}
	unused := l.ledger.Unused(own, place)
	if out, err = document.Remove(l.name(), text, unused); err != nil {
		return nil, 0, err
	}
	loose := l.ledger.Loose(own, place)
	out, err = document.Amend(l.name(), out, loose)
	return out, len(unused) + len(loose), err
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
