package policy

import (
	"slices"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

// memoryFile is the call that makes a file in memory, which has no mount to be
// noexec.
const memoryFile = "memfd_create"

// refusedMemory returns the rules that keep what is written to memory from being
// executed, where the policy lists what is. MFD_NOEXEC_SEAL helps nothing: the
// dynamic loader maps such a file as code. The error is the one of vm.memfd_noexec.
// Rules that allow the call by name come before: who writes one means it.
func (p *Policy) refusedMemory() []Rule {
	only := p.Files.ExecOnly
	if !only.Value {
		return nil
	}
	var rules []Rule
	for _, r := range p.Syscalls.Rules {
		if at := slices.IndexFunc(r.Calls, func(n Name) bool { return n.call() == memoryFile }); at >= 0 && r.Then.Lets() {
			r.Calls = r.Calls[at : at+1]
			rules = append(rules, r)
		}
	}
	name := Name{memoryFile, only.At}
	return append(rules, Rule{Then: Do(filter.Errno(abi.EACCES)), Calls: []Name{name}, At: only.At})
}
