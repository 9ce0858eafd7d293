package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// event is a moment of a trace: a call begins or ends.
type event struct {
	ns   float64
	call string // as perf writes it: name(arguments) = result
	end  bool
}

// parseTrace reads what perf trace -T writes, and puts it in the order of time.
// What perf saw only half of is left out.
func parseTrace(text string) ([]event, error) {
	var events []event
	begun := map[string]string{} // by thread: a call whose end comes on a line of its own
	for line := range strings.Lines(text) {
		stamp, rest, ok := strings.Cut(strings.TrimSpace(line), " (")
		took, rest, ok2 := strings.Cut(rest, "): ")
		thread, call, ok3 := strings.Cut(rest, " ")
		if !ok || !ok2 || !ok3 {
			return nil, fmt.Errorf("line of perf trace %q: want TIME (DURATION): THREAD CALL", line)
		}
		_, thread, _ = strings.Cut(thread, "/") // the name before it changes at execve
		if stamp == "?" {
			continue
		}
		begin, err := milliseconds(stamp)
		if err != nil {
			return nil, fmt.Errorf("line of perf trace %q: %w", line, err)
		}
		continued := strings.HasPrefix(strings.TrimSpace(call), "...")
		if continued {
			call = begun[thread]
		} else {
			begun[thread] = call
			events = append(events, event{begin, call, false})
		}
		if lasted, err := milliseconds(took); err == nil {
			events = append(events, event{begin + lasted, call, true})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.ns, b.ns) })
	return events, nil
}

// milliseconds reads "0.112 ms" or "0.112" as nanoseconds.
func milliseconds(text string) (ns float64, err error) {
	ms, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), " ms"), 64)
	return ms * 1e6, err
}

// split returns how long each phase took, and how many calls begin in it.
func split(events []event) (took []float64, calls []int, err error) {
	var begins []float64
	i := 0
	for _, p := range phases {
		for ; i < len(events) && !p.begin.finds(events[i]); i++ {
		}
		if i == len(events) {
			return nil, nil, fmt.Errorf("phase %q: its mark, %s, is missing", p.what, p.begin.call)
		}
		begins = append(begins, events[i].ns)
		i++
	}
	for p := range len(begins) - 1 {
		took = append(took, begins[p+1]-begins[p])
		count := 0
		for _, e := range events {
			if !e.end && begins[p] <= e.ns && e.ns < begins[p+1] {
				count++
			}
		}
		calls = append(calls, count)
	}
	return took, calls, nil
}

func (m mark) finds(e event) bool {
	return e.end == m.end && strings.HasPrefix(e.call, m.call) && strings.Contains(e.call, m.with)
}
