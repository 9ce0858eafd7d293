package audit

import (
	"slices"
	"unicode/utf8"

	"github.com/callgate/callgate/event"
)

// MaxLine is the longest line, in bytes with its newline. It is what a FIFO
// takes whole (PIPE_BUF in pipe(7)), and a page.
const MaxLine = 4096

// lineOf is an event's line. What a target may have made long is cut until the
// line fits: JSON may take six bytes for one.
func lineOf(e event.Event) ([]byte, error) {
	for limit := MaxLine; ; limit /= 4 {
		e = cut(e, limit)
		line, err := e.MarshalJSON()
		if err != nil {
			return nil, err
		}
		if len(line) < MaxLine || limit == 0 {
			return append(line, '\n'), nil
		}
	}
}

// cut bounds each text of an event. A cure is whole, or left out: part of one is
// none.
func cut(e event.Event, limit int) event.Event {
	e.Memory = slices.Clone(e.Memory)
	for i, m := range e.Memory {
		e.Memory[i] = m.Cut(limit)
	}
	e.Task.Program = cutText(e.Task.Program, limit)
	e.Why.Text, e.Why.Rule, e.Why.Wall = cutText(e.Why.Text, limit), cutText(e.Why.Rule, limit), cutText(e.Why.Wall, limit)
	if len(e.Why.Cure) > limit {
		e.Why.Cure = ""
	}
	return e
}

func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
