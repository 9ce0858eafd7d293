package event

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// maxText is how many bytes of a copied text a line shows.
const maxText = 256

// String is the event in one line, much as strace(1) writes it. What a task can
// choose, such as paths and program names, is quoted where it could be taken for
// something else.
func (e Event) String() string {
	var b strings.Builder
	program := e.Task.Program
	if quoted := strconv.Quote(program); quoted != `"`+program+`"` || strings.ContainsAny(program, "[ ") {
		program = quoted
	}
	fmt.Fprintf(&b, "%s[%d] %s", program, e.Task.TID, e.CallString())
	switch e.Outcome {
	case Allowed:
		b.WriteString(" = ?")
		if e.Errno != 0 {
			b.WriteString(" (" + e.Errno.Name() + " expected)")
		}
	case Refused:
		b.WriteString(" = -1 " + e.Errno.Name())
	case Emulated:
		if e.Result < 0 && e.Result > -4096 {
			b.WriteString(" = -1 " + abi.Errno(-e.Result).Name())
		} else {
			b.WriteString(" = " + strconv.FormatInt(e.Result, 10))
		}
	case Given:
		if e.Result < 0 {
			b.WriteString(" = ? (given)")
		} else {
			b.WriteString(" = " + strconv.FormatInt(e.Result, 10))
		}
	case Gone:
		b.WriteString(" = ? (gone)")
	}
	if e.Advisory {
		b.WriteString(" (advisory)")
	}
	if e.Why.Text != "" {
		b.WriteString(": " + e.Why.Text)
	}
	if e.Why.Rule != "" {
		b.WriteString(" (" + e.Why.Rule + ")")
	}
	return b.String()
}

// CallString is the call with the texts and addresses behind its pointers, where
// those were copied: openat(AT_FDCWD, "/etc/shadow", O_RDONLY, 0).
func (e *Event) CallString() string {
	row, known := e.Call.Syscall()
	if !known {
		return e.Call.String()
	}
	args := make([]string, len(row.Args))
	for i := range row.Args {
		args[i] = row.Args[i].Format(e.Call.Arch, e.Call.Args[i])
		copied, ok := e.memory(i)
		switch {
		case ok && textual(row.Args[i].Kind):
			args[i] = quote(copied)
		case ok && row.Args[i].Kind == abi.KindSockaddr:
			if address, known := copied.Address(); known {
				args[i] = address
			}
		}
	}
	return row.Name + "(" + strings.Join(args, ", ") + ")"
}

func textual(k abi.Kind) bool {
	return k == abi.KindPath || k == abi.KindString
}

func quote(m Memory) string {
	m = m.Cut(maxText)
	text := strconv.Quote(string(m.Bytes))
	if m.Size > 0 {
		text += "..."
	}
	return text
}
