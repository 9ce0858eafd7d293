package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/callgate/callgate/internal/guard"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// summary says at the end, in a line, that calls were refused.
type summary struct {
	refusals guard.Refusals
	program  string // the one that was started: others are named
	target   policy.Target
}

// noWidth is how long the line may be where it is no terminal's.
const noWidth = 200

// say prints the line, the last refusal first: it is the likeliest to have ended
// the program.
func (s *summary) say(w io.Writer) {
	if s == nil {
		return
	}
	kinds, omitted := s.refusals.Kinds()
	if len(kinds) == 0 {
		return
	}
	width := noWidth
	if file, ok := w.(*os.File); ok && sys.TerminalWidth(file) > 0 {
		width = sys.TerminalWidth(file)
	}
	io.WriteString(w, s.line(kinds, omitted, width)+"\n")
}

// detail is how much a line tells.
type detail struct {
	groups  int // of refusals
	objects int // of each group
	text    int // letters of an object
}

// details are tried one after the other, until the line fits.
var details = [...]detail{
	{6, 3, 60},
	{6, 2, 40},
	{6, 1, 40},
	{5, 1, 40},
	{4, 1, 40},
	{3, 1, 40},
	{2, 1, 40},
	{2, 1, 24},
	{1, 1, 40},
	{1, 1, 32},
	{1, 1, 24},
	{1, 1, 16},
	{1, 1, 12},
}

// line is what was refused in one line of so many letters, if that can be.
func (s *summary) line(kinds []guard.Refused, omitted, width int) (line string) {
	groups, calls := s.group(kinds)
	calls += omitted
	for _, d := range details {
		line = "callgate: refused " + sentence(groups[:min(len(groups), d.groups)], calls, d) + "; --explain says why"
		if utf8.RuneCountInString(line) <= width {
			break
		}
	}
	return line
}

// sentence tells of some groups of all calls.
func sentence(groups []*refusedGroup, calls int, d detail) string {
	var parts []string
	more := calls
	for _, g := range groups {
		parts = append(parts, g.text(d))
		more -= g.count
	}
	text := strings.Join(parts, ", ")
	switch {
	case d.groups == 1 && more == 0:
		return text
	case d.groups == 1:
		return fmt.Sprintf("%s and %d more", text, more)
	case more > 0:
		text += fmt.Sprintf(", and %d more", more)
	}
	return counted(calls, "call") + ": " + text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// refusedGroup is what one program was refused of one call, with the same error.
type refusedGroup struct {
	program, call, errno string
	objects              []string // what the calls were about, each once, the last first
	count                int
}

// group folds refusals, and counts them.
func (s *summary) group(kinds []guard.Refused) (groups []*refusedGroup, calls int) {
	for _, k := range kinds {
		calls += k.Count
		one := refusedGroup{errno: k.Errno.Name()}
		object := ""
		if row, ok := k.Call.Syscall(); ok {
			one.call, object = row.Name, s.object(k)
		} else {
			one.call = k.Call.String()
		}
		if name := k.Task.Program; name != s.program && name != one.call {
			one.program = name
		}
		groups = one.join(groups, object, k.Count)
	}
	return groups, calls
}

func (g refusedGroup) join(groups []*refusedGroup, object string, count int) []*refusedGroup {
	var into *refusedGroup
	for _, other := range groups {
		if other.program == g.program && other.call == g.call && other.errno == g.errno {
			into = other
		}
	}
	if into == nil {
		into = &g
		groups = append(groups, into)
	}
	into.count += count
	for _, known := range into.objects {
		if known == object {
			return groups
		}
	}
	if object != "" {
		into.objects = append(into.objects, object)
	}
	return groups
}

// text is as "openat ~/.ssh/id_rsa, ./x and 3 more (EACCES) ×7 by ssh".
func (g *refusedGroup) text(d detail) string {
	var shown []string
	for _, object := range g.objects[:min(len(g.objects), d.objects)] {
		shown = append(shown, elide(object, d.text))
	}
	text := g.call
	if len(shown) > 0 {
		text += " " + strings.Join(shown, ", ")
	}
	if more := len(g.objects) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	text += " (" + g.errno + ")"
	if g.count > 1 {
		text += " ×" + strconv.Itoa(g.count)
	}
	if g.program != "" {
		text += " by " + elide(plain(g.program), d.text)
	}
	return text
}

// shortName is a program's name as the kernel keeps it (comm in proc_pid_comm(5)).
func shortName(program string) string {
	const longest = 15
	name := filepath.Base(program)
	return name[:min(len(name), longest)]
}
