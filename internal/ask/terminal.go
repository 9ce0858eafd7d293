package ask

import (
	"context"
	"fmt"
	"strings"

	"github.com/callgate/callgate/internal/guard"
)

// Console writes a prompt and returns the line that is typed then, which may be
// Interrupt.
type Console interface {
	Line(ctx context.Context, prompt string) (string, error)
}

// Interrupt is the line of whoever typed Ctrl-C.
const Interrupt = "\x03"

// Terminal asks a person, one question at a time.
type Terminal struct {
	Console Console
	File    string // which Always is saved to, or ""
}

// Ask is guard.Asker's.
func (t *Terminal) Ask(ctx context.Context, q guard.Question) (guard.Answer, error) {
	menu := t.menu(q)
	prompt := "callgate: " + Text(q) + "\n" + menu
	for {
		line, err := t.Console.Line(ctx, prompt)
		if ctx.Err() != nil {
			return guard.No, nil
		}
		if err != nil {
			return guard.No, err
		}
		word := strings.ToLower(strings.TrimSpace(line))
		switch {
		case line == Interrupt:
			return guard.No, nil
		case word == "?":
			prompt = cure(q) + menu
			continue
		case word == "":
		default:
			for _, answer := range choices(q) {
				if strings.HasPrefix(answer.String(), word) {
					return answer, nil
				}
			}
		}
		prompt = "callgate: answer with a letter in brackets, and Enter\n" + menu
	}
}

// menu lists the answers.
func (t *Terminal) menu(q guard.Question) string {
	always := "[a]lways in this run"
	switch {
	case q.Saves && q.Lifts:
		always = "[a]lways (saved to " + plain(t.File) + ")"
	case q.Saves:
		always = "[a]llow in other runs (saved to " + plain(t.File) + ")"
	}
	once := "[o]nce / "
	if !q.Lifts {
		once = ""
	}
	return fmt.Sprintf("callgate: %s%s / [n]ever / [q]uit / [?] what is allowed then: ", once, always)
}

// cure says what Always allows.
func cure(q guard.Question) string {
	once := "once allows this call"
	switch {
	case q.File != nil && q.Why.Cure == "":
		return "callgate: once allows this use of the file, always others like it in this run; no policy does\n"
	case q.Why.Cure == "":
		return "callgate: always allows this call with these arguments; no policy does\n"
	case !q.Lifts:
		once = "a folder is not opened for a program in this run" // see files.Lifter
	case q.File != nil:
		once = "once allows this use of the file: to " + q.File.Access
	}
	var b strings.Builder
	b.WriteString("callgate: " + once + "; always allows what this adds to the policy:\n")
	for line := range strings.Lines(q.Why.Cure) {
		b.WriteString("    " + plain(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}
