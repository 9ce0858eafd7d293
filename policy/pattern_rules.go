package policy

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// HasPatterns reports whether a list of files holds patterns.
func (f *Files) HasPatterns() bool { return f.firstPattern() != nil }

func (f *Files) firstPattern() *Path {
	for _, list := range [...][]Path{f.Hidden, f.ReadOnly, f.ReadWrite} {
		if i := slices.IndexFunc(list, func(p Path) bool { return p.Pattern }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// refusedCalls returns the rules that patterns put before all others: calls
// that reach files past whoever decides by their names, and those that change
// what names mean.
func (f *Files) refusedCalls(otherwise filter.Action) []Rule {
	first := f.firstPattern()
	if first == nil {
		return nil
	}
	at := first.At
	refuse := func(then filter.Action, names ...string) Rule {
		r := Rule{Then: Do(then), At: at}
		for _, name := range names {
			r.Calls = append(r.Calls, Name{name, at})
		}
		return r
	}
	rules := []Rule{
		refuse(noSys(), "io_uring_setup", "io_uring_enter", "io_uring_register", "clone3"),
		refuse(otherwise, "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark",
			"chroot", "pivot_root", "mount", "umount", "umount2", "open_tree", "open_tree_attr", "move_mount", "fsopen", "fsmount",
			"fspick", "mount_setattr", "setns", "uselib", "acct", "swapon", "swapoff", "quotactl"),
	}
	for _, namespace := range []Operand{"CLONE_NEWNS", "CLONE_NEWUSER", "CLONE_NEWPID"} {
		for _, call := range []string{"clone", "unshare"} {
			r := refuse(otherwise, call)
			r.When = []Condition{{Arg: Name{Text: "0", At: at}, Mask: namespace, Equals: namespace, At: at}}
			rules = append(rules, r)
		}
	}
	return rules
}

// whoDecides complains of what patterns can't be kept with.
func (p *Policy) whoDecides() (found Problems) {
	first := p.Files.firstPattern()
	if first == nil {
		return nil
	}
	for _, c := range p.Capabilities {
		if slices.Contains(mightyCapabilities, c.Text) {
			found.add(c.At, "remove it, or the pattern", "%s is kept, and the pattern %s can't be: it would let the program past callgate", c.Text, first.Text)
		}
	}
	for _, a := range p.foreignArchitectures() {
		found.add(a.At, "remove it, or the pattern", "the numbering %s is allowed, and the pattern %s can't be kept for its calls", a.Text, first.Text)
	}
	return found
}

// foreignArchitectures are the numberings allowed besides a machine's first.
func (p *Policy) foreignArchitectures() (foreign []Name) {
	for _, a := range p.Syscalls.Architectures {
		if arch, ok := abi.ParseArch(a.Text); ok && arch > abi.RISCV64 {
			foreign = append(foreign, a)
		}
	}
	return foreign
}

// mightyCapabilities change who a program is, what names mean to it, or which
// files it reaches: callgate opens files in the program's stead as the user that
// it was started for, without these.
var mightyCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO", "CAP_MKNOD", "CAP_SYS_MODULE",
	"CAP_BPF", "CAP_CHECKPOINT_RESTORE", "CAP_SETFCAP", "CAP_LEASE", "CAP_SYS_RESOURCE",
}
