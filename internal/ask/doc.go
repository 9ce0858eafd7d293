// Package ask puts the questions of [guard.Ask] to somebody: to a person on a
// terminal, or to a program as lines of JSON.
package ask

import (
	"strconv"
	"strings"

	"github.com/callgate/callgate/internal/guard"
)

// Text is a question in a line, without what is answered to it. It is in ASCII:
// the program chose its own name and the texts of the call, and letters that are
// invisible, written from right to left, or combined with others could make a line
// read as another one.
func Text(q guard.Question) string {
	var b strings.Builder
	b.WriteString(strconv.QuoteToASCII(q.Task.Program) + " (" + strconv.Itoa(q.Task.TID) + ") asks ")
	if q.File != nil {
		b.WriteString("to " + q.File.Access + " " + strconv.QuoteToASCII(q.File.Path))
		if q.File.Hidden != "" {
			b.WriteString(", WHICH THE POLICY HIDES (" + q.File.Hidden + ")")
		}
	} else {
		b.WriteString("for " + q.CallString())
	}
	if q.Lifts {
		b.WriteString(", refused with ")
	} else {
		b.WriteString(", which the kernel will refuse with ")
	}
	b.WriteString(q.Errno.Name() + ": " + q.Why.Text)
	if q.Why.Rule != "" {
		b.WriteString(" (" + q.Why.Rule + ")")
	}
	return plain(b.String())
}

// maxText bounds a question's line, in bytes.
const maxText = 600

// plain writes all that is not a printable letter of ASCII as an escape.
func plain(text string) string {
	var b strings.Builder
	for _, letter := range text {
		switch {
		case b.Len() > maxText:
			return b.String() + "..."
		case ' ' <= letter && letter <= '~':
			b.WriteRune(letter)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(letter), "'"))
		}
	}
	return b.String()
}

// choices are the answers that a question may have.
func choices(q guard.Question) []guard.Answer {
	if !q.Lifts {
		return []guard.Answer{guard.Always, guard.Never, guard.Quit}
	}
	return []guard.Answer{guard.Once, guard.Always, guard.Never, guard.Quit}
}
