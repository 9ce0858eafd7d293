package policy

import "github.com/callgate/callgate/filter"

// Action is what becomes of a call. A document writes it as one word: "allow",
// "log" (allow and log), "kill" (the process), "kill-thread", "trap" (SIGSYS),
// "notify" (ask the listener), "trace" (ask the ptracer), or an errno's name
// such as "EPERM"; "trap", "trace" and "errno" take data in parentheses, as in
// "errno(0)". The zero Action is not set and refuses to compile.
type Action struct {
	filter.Action
	Set bool
}
