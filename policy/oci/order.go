package oci

import (
	"slices"

	"github.com/callgate/callgate/filter"
)

// The ranks of entries: of those for one call, the lowest decides.
const (
	whole    = iota // without conditions
	partial         // with conditions
	needless        // with the default action
)

// ordered returns the entries in an order in which the first that fits decides
// as the profile means it: as they stand, unless an earlier one of a higher
// rank and with another action would take a call from a later one.
func (i *importer) ordered() []*Syscall {
	entries := make([]*Syscall, len(i.profile.Syscalls))
	ranks := make(map[*Syscall]int, len(entries))
	first := make(map[string]*Syscall, 440) // Moby's default names about as many calls
	again := make(map[string][]*Syscall)    // of names in several entries: few
	misplaced := false
	for n := range i.profile.Syscalls {
		s := i.named(&i.profile.Syscalls[n])
		entries[n], ranks[s] = s, i.rank(s)
		for _, name := range s.Names {
			if first[name] == nil {
				first[name] = s
				continue
			}
			if again[name] == nil {
				again[name] = []*Syscall{first[name]}
			}
			for _, before := range again[name] {
				misplaced = misplaced || ranks[before] > ranks[s] && !sameAction(before, s) && !excluding(before, s) && !excluding(s, before)
			}
			again[name] = append(again[name], s)
		}
	}
	if misplaced {
		slices.SortStableFunc(entries, func(a, b *Syscall) int { return ranks[a] - ranks[b] })
	}
	return undisputed(entries, again)
}

func (i *importer) rank(s *Syscall) int {
	switch action, _ := parseAction(s.Action, s.ErrnoRet, s.Errno); {
	case action == i.otherwise:
		return needless
	case len(s.Args) > 0:
		return partial
	}
	return whole
}

func sameAction(a, b *Syscall) bool {
	first, _ := parseAction(a.Action, a.ErrnoRet, a.Errno)
	second, _ := parseAction(b.Action, b.ErrnoRet, b.Errno)
	return first == second
}

// excluding reports whether a needs a capability that b must not have: no
// container has both.
func excluding(a, b *Syscall) bool {
	return a.Includes != nil && b.Excludes != nil &&
		slices.ContainsFunc(a.Includes.Caps, func(c string) bool { return slices.Contains(b.Excludes.Caps, c) })
}

// named returns the entry with its one name, if it has the old key, among the
// others.
func (i *importer) named(s *Syscall) *Syscall {
	if s.Name == "" {
		return s
	}
	if len(s.Names) > 0 {
		i.add(s.At, "remove one", "an entry has both name and names")
	}
	named := *s
	named.Name, named.Names = "", []string{s.Name}
	return &named
}

// undisputed takes out the names, of those in several entries, that an earlier
// entry without conditions or requirements decides already: a policy that says
// two things of a call is taken for a mistake.
func undisputed(entries []*Syscall, again map[string][]*Syscall) []*Syscall {
	decided := make(map[string]filter.Action, len(again))
	out := make([]*Syscall, 0, len(entries))
	for _, s := range entries {
		if len(s.Args) > 0 || !s.Includes.isEmpty() || !s.Excludes.isEmpty() {
			out = append(out, s)
			continue
		}
		action, _ := parseAction(s.Action, s.ErrnoRet, s.Errno)
		disputed := func(name string) bool {
			before, again := decided[name]
			return again && before != action
		}
		if slices.ContainsFunc(s.Names, disputed) {
			left := *s
			left.Names = slices.DeleteFunc(slices.Clone(s.Names), disputed)
			s = &left
			if len(s.Names) == 0 {
				continue
			}
		}
		for _, name := range s.Names {
			if again[name] != nil {
				decided[name] = action
			}
		}
		out = append(out, s)
	}
	return out
}
