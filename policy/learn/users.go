package learn

import (
	"fmt"
	"slices"
	"strings"
)

// users are the programs that used something, and how often.
type users struct {
	programs []string
	more     bool // than are kept
	count    int
}

// maxPrograms bounds the names that a comment has.
const maxPrograms = 3

func (u *users) add(program string) {
	u.count++
	u.name(program)
}

func (u *users) name(program string) {
	switch {
	case program == "" || slices.Contains(u.programs, program):
	case len(u.programs) == maxPrograms:
		u.more = true
	default:
		u.programs = append(u.programs, program)
	}
}

func (u *users) join(o users) {
	u.count += o.count
	u.more = u.more || o.more
	for _, program := range o.programs {
		u.name(program)
	}
}

// String is "git, sh: 12 times".
func (u users) String() string {
	names := slices.Sorted(slices.Values(u.programs))
	if u.more {
		names = append(names, "others")
	}
	times := "once"
	if u.count != 1 {
		times = fmt.Sprintf("%d times", u.count)
	}
	if len(names) == 0 {
		return times
	}
	return oneLine(strings.Join(names, ", ")) + ": " + times
}
