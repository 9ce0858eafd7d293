package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/bench/measure"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// The calls that testdata/victim.c makes. The checked ones are those whose
// arguments some preset looks at.
var (
	plainCalls   = []string{"getpid", "lseek", "read", "openat+close"}
	checkedCalls = []string{"ioctl", "personality", "socket+close"}
)

// peerPresets are compared with libseccomp's programs for the same rules, by
// the calls whose arguments they check; libseccomp can say what they say.
var peerPresets = []struct {
	preset string
	calls  []string
}{
	{"oci", []string{"personality", "socket+close"}},
	{"strict", []string{"ioctl"}},
}

const (
	withoutFilter  = "no filter"
	oneInstruction = "one instruction"
	defaultFilter  = "callgate default"
)

// calls measures what a system call costs behind a filter.
func (b *bench) calls() error {
	b.Printf("### Calls\n\n")
	if !b.have("cc", "gcc") {
		return nil
	}
	victim, err := b.compileC("victim")
	if err != nil {
		return err
	}
	programs, err := b.programs()
	if err != nil {
		return err
	}
	v := &victims{program: victim, ended: map[ending]string{}}
	var subjects []measure.Subject
	for _, p := range programs {
		subjects = append(subjects, measure.Subject{Name: p.name, Run: func(int) ([]float64, error) { return v.run(p) }})
	}
	all := append(slices.Clone(plainCalls), checkedCalls...)
	rounds := b.roundsOr(60)
	samples, err := measure.Interleave(rounds, all, subjects)
	if err != nil {
		return err
	}
	b.Samples("Call", samples)
	b.Printf("Medians of %s, interleaved, in ns a call; a round's value is itself the median of 15 turns of 1,000 calls.\n"+
		"`openat+close` and `socket+close` are two calls.\n\n", plural(rounds, "round"))
	b.callTable(samples, programs, v)
	for _, call := range all {
		if slices.Contains(plainCalls, call) {
			b.Bar(call+" under callgate default / one instruction", 1.1, measure.Ratio(samples.Of(defaultFilter, call), samples.Of(oneInstruction, call)))
		}
	}
	for _, peer := range peerPresets {
		for _, call := range peer.calls {
			for _, optimize := range []int{scmpList, scmpTree} {
				ours, theirs := "callgate "+peer.preset, scmpName(peer.preset, optimize)
				if samples.Has(theirs) {
					b.Bar(call+" under "+ours+" / "+theirs, 1, measure.Ratio(samples.Of(ours, call), samples.Of(theirs, call)))
				}
			}
		}
	}
	b.Printf("\n")
	return nil
}

func (b *bench) callTable(samples *measure.Samples, programs []loaded, v *victims) {
	rows := [][]string{append([]string{"filter"}, samples.Measures...)}
	for _, p := range programs {
		cells := []string{p.name}
		for _, call := range samples.Measures {
			cell := measure.Nanoseconds(measure.Median(samples.Of(p.name, call)))
			if v.ended[ending{p.preset, call}] != v.ended[ending{"", call}] {
				cell = "refused"
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	b.Table(rows...)
}

// loaded is a filter program in a file; "-" is none.
type loaded struct{ name, path, preset string }

// programs writes the filter programs to measure.
func (b *bench) programs() ([]loaded, error) {
	list := []loaded{{withoutFilter, "-", ""}}
	add := func(name, preset string, code []byte) error {
		path := filepath.Join(b.dir, fmt.Sprintf("program-%d", len(list)))
		list = append(list, loaded{name, path, preset})
		return os.WriteFile(path, code, 0o644)
	}
	allow := filter.Program{{Code: 0x06, K: uint32(filter.ActionAllow)}} // BPF_RET | BPF_K
	if err := add(oneInstruction, "", allow.Bytes()); err != nil {
		return nil, err
	}
	peer, err := b.newLibseccomp()
	if err != nil {
		return nil, err
	}
	for _, preset := range []string{"default", "oci", "strict"} {
		rules, program, err := presetFilter(preset)
		if err != nil {
			return nil, err
		}
		if err := add("callgate "+preset, preset, program.Bytes()); err != nil {
			return nil, err
		}
		if peer == nil || preset == "default" {
			continue
		}
		for _, optimize := range []int{scmpList, scmpTree} {
			code, _, err := peer.compile(rules, optimize, 1)
			if err != nil {
				return nil, fmt.Errorf("preset %s: %w", preset, err)
			}
			if err := add(scmpName(preset, optimize), preset, code); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func scmpName(preset string, optimize int) string {
	if optimize == scmpTree {
		return "libseccomp's tree, " + preset
	}
	return "libseccomp, " + preset
}

// presetFilter returns a preset's rules and program for this machine's own
// architecture alone: libseccomp 2.5.4 refuses rules for newer calls on others.
func presetFilter(name string) (*filter.Filter, filter.Program, error) {
	p, ok := policy.Preset(name)
	if !ok {
		return nil, nil, fmt.Errorf("there is no preset %q", name)
	}
	compiled, err := p.Filter(policy.Target{Arch: abi.Native()})
	if err != nil {
		return nil, nil, err
	}
	native := *compiled.Filter
	native.Tables = native.Tables[:1]
	program, err := native.Compile()
	return &native, program, err
}

// victims runs testdata/victim.c and holds that every program for the same
// rules lets the same calls through: else what differs would be compared.
type victims struct {
	program string
	ended   map[ending]string // the error that a call ends with
}

type ending struct{ preset, call string }

func (v *victims) run(p loaded) ([]float64, error) {
	cmd := exec.Command(v.program, p.path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var values []float64
	for line := range strings.Lines(string(out)) {
		var call, ended string
		var ns float64
		if _, err := fmt.Sscan(line, &call, &ns, &ended); err != nil {
			return nil, fmt.Errorf("victim says %q: %w", line, err)
		}
		key := ending{p.preset, call}
		if before, ok := v.ended[key]; ok && before != ended {
			return nil, fmt.Errorf("%s ends with error %s here, elsewhere with %s: a program decides otherwise", call, ended, before)
		}
		v.ended[key] = ended
		values = append(values, ns)
	}
	return values, nil
}
