package policy

import (
	"slices"
	"strings"
)

// Merge returns what child says, and what parent says where child is silent.
// Neither is changed.
//
// Single values of the child replace the parent's. Lists are joined, and a name
// or number that the child writes with a leading '-' is taken out. The child's
// rules come first. A path that the child lists anywhere is no longer what the
// parent said of it. Tests are the child's: they speak of the document that
// they stand in.
func Merge(parent, child *Policy) *Policy {
	return &Policy{
		Name:         either(child.Name, parent.Name),
		Description:  either(child.Description, parent.Description),
		Baseline:     either(child.Baseline, parent.Baseline),
		Syscalls:     mergeSyscalls(&parent.Syscalls, &child.Syscalls),
		Files:        mergeFiles(&parent.Files, &child.Files),
		Network:      mergeNetwork(&parent.Network, &child.Network),
		Capabilities: joinNames(parent.Capabilities, child.Capabilities),
		Limits:       mergeLimits(&parent.Limits, &child.Limits),
		Environment:  mergeEnvironment(&parent.Environment, &child.Environment),
		Descriptors:  joinSetting(parent.Descriptors, child.Descriptors, Descriptor.same, Descriptor.removes),
		Walls:        Walls{Optional: joinNames(parent.Walls.Optional, child.Walls.Optional)},
		OCI:          mergeOCI(&parent.OCI, &child.OCI),
		Tests:        child.Tests,
	}
}

func mergeSyscalls(parent, child *Syscalls) Syscalls {
	return Syscalls{
		Otherwise:     either(child.Otherwise, parent.Otherwise),
		Foreign:       either(child.Foreign, parent.Foreign),
		Architectures: joinNames(parent.Architectures, child.Architectures),
		Rules:         slices.Concat(child.Rules, parent.Rules),
	}
}

func mergeFiles(parent, child *Files) Files {
	join := func(parents, children []Path) []Path {
		kept := slices.DeleteFunc(slices.Clone(parents), func(p Path) bool { return child.mentions(p) })
		return concat(kept, children)
	}
	if child.ExecOnly.Value {
		parent = parent.unexecutable()
	}
	return Files{
		ReadOnly:  join(parent.ReadOnly, child.ReadOnly),
		ReadWrite: join(parent.ReadWrite, child.ReadWrite),
		Exec:      join(parent.Exec, child.Exec),
		Hidden:    join(parent.Hidden, child.Hidden),
		Digests: concat(slices.DeleteFunc(slices.Clone(parent.Digests), func(p Program) bool { return child.mentions(p.Path) }),
			child.Digests),
		Content: concat(slices.DeleteFunc(slices.Clone(parent.Content), func(c Content) bool { return child.mentions(c.Path) }),
			child.Content),
		ExecOnly: either(child.ExecOnly, parent.ExecOnly),
		Home:     either(child.Home, parent.Home),
		Tmp:      either(child.Tmp, parent.Tmp),
		Dev:      either(child.Dev, parent.Dev),
		Proc:     either(child.Proc, parent.Proc),
	}
}

// mentions reports whether any list has the path.
func (f *Files) mentions(path Path) bool {
	if _, ok := f.program(path); ok || f.hasContent(path) {
		return true
	}
	for _, list := range [...][]Path{f.ReadOnly, f.ReadWrite, f.Exec, f.Hidden} {
		if slices.ContainsFunc(list, path.same) {
			return true
		}
	}
	return false
}

func mergeNetwork(parent, child *Network) Network {
	return Network{
		Mode:     either(child.Mode, parent.Mode),
		Families: joinSetting(parent.Families, child.Families, Name.same, Name.removes),
		Connect:  joinSetting(parent.Connect, child.Connect, Destination.same, Destination.removes),
		Bind:     joinSetting(parent.Bind, child.Bind, Port.same, Port.removes),
		Publish:  join(parent.Publish, child.Publish, Publication.same, Publication.removes),
		Unix:     joinSetting(parent.Unix, child.Unix, Path.same, func(Path) bool { return false }),
	}
}

func mergeLimits(parent, child *Limits) Limits {
	return Limits{
		Memory:  either(child.Memory, parent.Memory),
		Pids:    either(child.Pids, parent.Pids),
		CPUs:    either(child.CPUs, parent.CPUs),
		Tmp:     either(child.Tmp, parent.Tmp),
		Timeout: either(child.Timeout, parent.Timeout),
		Rlimits: override(parent.Rlimits, child.Rlimits, func(a, b Rlimit) bool { return a.Name == b.Name }),
	}
}

func mergeEnvironment(parent, child *Environment) Environment {
	return Environment{
		Keep: joinNames(parent.Keep, child.Keep),
		Drop: joinNames(parent.Drop, child.Drop),
		Set:  override(parent.Set, child.Set, func(a, b Variable) bool { return a.Name == b.Name }),
	}
}

// either returns the first unless it is zero.
func either[T comparable](first, second T) T {
	var zero T
	if first != zero {
		return first
	}
	return second
}

// concat joins two lists; nothing and nothing is nil.
func concat[T any](a, b []T) []T {
	if len(a)+len(b) == 0 {
		return nil
	}
	return slices.Concat(a, b)
}

// override appends the child's items to those of the parent's that have no
// namesake among them.
func override[T any](parent, child []T, same func(a, b T) bool) []T {
	kept := slices.DeleteFunc(slices.Clone(parent), func(p T) bool {
		return slices.ContainsFunc(child, func(c T) bool { return same(p, c) })
	})
	return concat(kept, child)
}

// join appends the child's items to the parent's, once each, and takes out what
// the child removes.
func join[T any](parent, child []T, same func(a, b T) bool, removes func(T) bool) []T {
	var out []T
	for _, item := range slices.Concat(parent, child) {
		at := slices.IndexFunc(out, func(o T) bool { return same(o, item) })
		switch {
		case removes(item) && at >= 0:
			out = slices.Delete(out, at, at+1)
		case !removes(item) && at < 0:
			out = append(out, item)
		}
	}
	return out
}

func joinNames(parent, child []Name) []Name { return join(parent, child, Name.same, Name.removes) }

// joinSetting joins lists that may be left out. One that is empty but written
// stays written.
func joinSetting[T any](parent, child Setting[[]T], same func(a, b T) bool, removes func(T) bool) Setting[[]T] {
	at := child.At
	if !child.IsSet() {
		at = parent.At
	}
	return Setting[[]T]{Value: join(parent.Value, child.Value, same, removes), At: at}
}

// word returns the name without the '-' that takes it out.
func (n Name) word() string                 { return strings.TrimPrefix(n.Text, "-") }
func (n Name) removes() bool                { return strings.HasPrefix(n.Text, "-") }
func (n Name) same(o Name) bool             { return n.word() == o.word() }
func (p Port) removes() bool                { return p.Remove }
func (p Port) same(o Port) bool             { return p.Number == o.Number }
func (d Descriptor) removes() bool          { return d.Remove }
func (d Descriptor) same(o Descriptor) bool { return d.Number == o.Number }
