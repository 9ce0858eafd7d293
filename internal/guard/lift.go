package guard

import (
	"sync"

	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/policy"
)

// Withheld says, for files.Lifter, why a policy withholds a file of the machine's,
// and by which line it hides it, if it does. The judge is made with the first
// question; real follows the links of the policy's own paths.
func Withheld(judge func() (*policy.Judge, error), real func(string) string) func(string, policy.Access, bool) (event.Why, string) {
	real = remember(real)
	return func(path string, want policy.Access, creates bool) (event.Why, string) {
		why := event.Why{Text: "the program's file tree does not have it", Wall: policy.WallFiles}
		made, err := judge()
		if err != nil {
			why.Text = err.Error()
			return why, ""
		}
		answer, err := made.Decide(policy.Question{Call: "openat", Args: []policy.Arg{{Name: "flags", Value: openFlags(want, creates)}}, Path: path})
		if err == nil && !answer.Action.Lets() {
			why = whyOf(answer)
		}
		hidden := ""
		if at, ok := made.Hides(path, real); ok {
			hidden = at.String()
		}
		return why, hidden
	}
}

// remember has a function be called once for each of its arguments.
func remember(of func(string) string) func(string) string {
	var mutex sync.Mutex
	known := map[string]string{}
	return func(argument string) string {
		mutex.Lock()
		defer mutex.Unlock()
		if value, ok := known[argument]; ok {
			return value
		}
		known[argument] = of(argument)
		return known[argument]
	}
}

// openFlags are those of an open that wants so much.
func openFlags(want policy.Access, creates bool) policy.Operand {
	flags := policy.Operand("O_RDONLY")
	switch {
	case want&(policy.Read|policy.Write) == policy.Read|policy.Write:
		flags = "O_RDWR"
	case want&policy.Write != 0:
		flags = "O_WRONLY"
	}
	if creates {
		flags += "|O_CREAT"
	}
	return flags
}
