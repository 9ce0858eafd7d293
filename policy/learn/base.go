package learn

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
)

// base is what every learnt policy begins with. What it allows or refuses, the
// learning run does too, without a look; so it is the learning run's filter.
//
//go:embed base.yaml
var base []byte

func parseBase() *policy.Policy {
	p, err := document.Parse("base.yaml", base)
	if err != nil {
		panic("learn: " + err.Error()) // TestBase parses it
	}
	return p
}

// Watch returns the filter of a learning run: what the base says nothing of goes
// to the listener, but for calls that make processes and threads. A signal that
// comes before the listener has a call fails that with EINTR, which programs don't
// expect of fork; the tasks that are made are noticed by their own first calls.
func Watch(t policy.Target) (*filter.Filter, error) {
	p := parseBase()
	whole := policy.Condition{Arg: policy.Name{Text: "flags"}, Mask: namespaces, Equals: "0"}
	p.Syscalls.Rules = append([]policy.Rule{
		newRule([]string{"fork", "vfork"}, nil, "").Rule, newRule([]string{"clone"}, []policy.Condition{whole}, "").Rule,
	}, p.Syscalls.Rules...)
	p.Syscalls.Otherwise = policy.Given("learn", policy.Do(filter.ActionNotify))
	compiled, err := p.Filter(t)
	if err != nil {
		return nil, err
	}
	return compiled.Filter, nil
}

// Begin writes the document that a first run adds to. The variables and limits
// are those of the preset default.
func Begin(name, command string, kernel policy.Version) ([]byte, error) {
	preset, ok := policy.Preset("default")
	if !ok {
		return nil, fmt.Errorf("no preset %q", "default")
	}
	head, err := document.Marshal(&policy.Policy{Name: name, Baseline: kernel})
	if err != nil {
		return nil, err
	}
	tail, err := document.Marshal(&policy.Policy{Limits: preset.Limits, Environment: preset.Environment})
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, heading, oneLine(command), head, base, tail), nil
}

const heading = `# What a program was seen to do, by
#   callgate learn -- %s
# Comments say what used an entry, and how often in the run that brought it.
# Edit this as you like: callgate learn adds lines to it and changes none.
%s%s%s`

// oneLine makes a text safe in a comment: one line, without control characters.
func oneLine(text string) string {
	const most = 200
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(clean); len(runes) > most {
		clean = string(runes[:most]) + "…"
	}
	return clean
}
