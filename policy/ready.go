package policy

import (
	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
)

//go:generate go run github.com/callgate/callgate/internal/cmd/mkprograms

// readyProgram is a preset's filter, compiled when callgate was built.
type readyProgram struct {
	arch   abi.Arch
	preset string
	code   []uint64 // instructions, a word each, as struct sock_filter lies in memory read big-endian
}

// ReadyProgram returns the program that the filter of a preset compiles to on
// an architecture, whatever the kernel's version, without compiling it. It is
// false for names that are no preset's, and for presets whose rules ask for the
// kernel's version.
func ReadyProgram(preset string, arch abi.Arch) (filter.Program, bool) {
	for i := range readyPrograms {
		if r := &readyPrograms[i]; r.arch == arch && r.preset == preset {
			program := make(filter.Program, len(r.code))
			for i, word := range r.code {
				program[i] = filter.Instruction{Code: uint16(word >> 48), Jt: uint8(word >> 40), Jf: uint8(word >> 32), K: uint32(word)}
			}
			return program, true
		}
	}
	return nil, false
}

// SilentOnCalls reports whether the policy says nothing that a filter depends
// on, so that merging it over another leaves the other's filter as it is.
func (p *Policy) SilentOnCalls() bool {
	s, n := &p.Syscalls, &p.Network
	return len(s.Rules) == 0 && len(s.Architectures) == 0 && !s.Otherwise.IsSet() && !s.Foreign.IsSet() &&
		!n.Mode.IsSet() && !n.Families.IsSet() && !n.Connect.IsSet() && !n.Bind.IsSet() && len(n.Publish) == 0 && !n.Unix.IsSet() &&
		len(p.Capabilities) == 0 && p.Baseline.IsZero() && !p.Files.HasPatterns() && !p.Files.ExecOnly.IsSet()
}
