package policy

import (
	"fmt"
	"slices"
	"strings"
)

// copied complains of ways to execute a copy, where the policy means to say which
// programs are executed.
func (j *Judge) copied(found *Problems) {
	f := &j.policy.Files
	at := f.ExecOnly.At
	if len(f.Digests) > 0 && !f.ExecOnly.Value {
		at = f.Digests[0].At
	}
	if at == (Origin{}) || len(f.Digests) == 0 && !f.ExecOnly.Value {
		return
	}
	for _, p := range f.Digests {
		name := j.target.expand(p.Path.Text)
		others := slices.DeleteFunc(slices.Clone(j.mounts), func(m Mount) bool { return m.Path == name })
		if around, ok := mountOf(others, name); ok && around.Access&Execute != 0 {
			found.add(p.At, "write exec-only: true, and list under exec what else is needed",
				"%s lies in %s, where all may be executed, and so what takes its place: callgate run refuses that", name, around.Path)
		}
	}
	var both []string
	for _, m := range j.mounts {
		if m.Access&Write != 0 && m.Access&Execute != 0 {
			both = append(both, m.Path)
		}
	}
	if len(both) > 0 {
		found.add(at, "write exec-only: true, and list under rw alone what may be written to",
			"writable and executable: %s: what is copied there is executed, listed or not", strings.Join(both, ", "))
	}
	q := Question{Call: "memfd_create"}
	if a, err := j.Decide(q); err == nil && a.Action.Lets() {
		found.add(at, fmt.Sprintf("write exec-only: true, and no rule that allows %s", q.Call),
			"%s is allowed: what is written to memory can be executed there, listed or not", q.Call)
	}
}
