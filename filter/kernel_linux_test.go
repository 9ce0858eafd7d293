package filter

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
)

// users are those that victims run as: nobody too if we may.
func users() map[string]int {
	if os.Geteuid() != 0 {
		return map[string]int{"self": -1}
	}
	return map[string]int{"root": -1, "nobody": 65534}
}

// needSeccomp skips where the kernel has no seccomp filters.
func needSeccomp(t *testing.T) {
	t.Helper()
	if abi.Native() == 0 {
		t.Skipf("kernel lacks: an architecture callgate knows: %s", runtime.GOARCH)
	}
	if _, complaint, err := startVictim(Program{{Code: opRet, K: uint32(ActionAllow)}}, nil, -1); err != nil {
		t.Skipf("kernel lacks: seccomp programs for this process: %v %s", err, complaint)
	}
}

// want is what the kernel should answer to a call that no task serves.
func (a Action) want() (answer, bool) {
	switch a.Kind() {
	case ActionErrno:
		return answer{uint64(a.Data())}, true
	case ActionAllow, ActionTrace, ActionNotify: // without a tracer or listener
		return answer{uint64(abi.ENOSYS)}, true
	}
	return answer{}, false
}

// harmless returns a random filter that lets only ghosts pass.
func (m maker) harmless() Filter {
	next := 1000 // an errno of its own for each rule, none that calls return
	refuse := func() Action {
		next++
		return Errno(abi.Errno(next))
	}
	f := Filter{Foreign: refuse()}
	arches := []abi.Arch{abi.Native()}
	if abi.Native() == abi.AMD64 && m.choose(2) == 0 {
		arches = append(arches, abi.X32)
	}
	for _, arch := range arches {
		t := Table{Arch: arch, Default: refuse()}
		first := abi.Sysno(0)
		if arch == abi.X32 {
			first = abi.X32Bit
		}
		for range m.choose(pick(m, []int{3, 30, 300})) {
			r := m.rule(first, 500)
			r.Then = refuse()
			if m.choose(4) == 0 {
				r.Nr = first | (ghost + abi.Sysno(m.choose(5)))
				r.Then = pick(m, []Action{ActionAllow, ActionTrace, ActionNotify, r.Then})
			}
			t.Rules = append(t.Rules, r)
		}
		f.Tables = append(f.Tables, t)
	}
	return f
}

// everyCall returns calls of all numbers with random arguments.
func (m maker) everyCall(f *Filter) []Data {
	var calls []Data
	add := func(nr abi.Sysno) {
		d := Data{Nr: nr, Arch: abi.Native().Audit()}
		table := f.table(d.Arch, isX32(d))
		count := 1
		if table != nil && table.conditional(nr) {
			count = 10
		}
		for range count {
			d.Args = m.args(table, nr)
			calls = append(calls, d)
		}
	}
	for nr := range ghost + 10 {
		// Since Linux 6.14 uretprobe and uprobe pass every filter, and end a process
		// that is not being probed (seccomp_uprobe_exception in kernel/seccomp.c).
		if abi.Native() == abi.AMD64 && (nr == 335 || nr == 336) {
			continue
		}
		add(nr)
		add(nr | abi.X32Bit)
	}
	for _, nr := range []abi.Sysno{1<<30 - 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
		add(nr)
	}
	return calls
}

func TestKernelRandom(t *testing.T) {
	needSeccomp(t)
	filters := programs(60)
	for user, uid := range users() {
		t.Run(user, func(t *testing.T) {
			made := 0
			for seed := range filters {
				m := randomMaker(uint64(seed))
				f := m.harmless()
				p, err := f.Compile()
				if err != nil {
					t.Fatalf("Compile(%+v) = %v; want no error", f, err)
				}
				calls := m.everyCall(&f)
				answers, complaint, err := startVictim(p, calls, uid)
				if err != nil {
					t.Fatalf("victim: %v\n%s", err, complaint)
				}
				for i, d := range calls {
					a, _, err := p.Run(d)
					want, ok := a.want()
					if !ok || err != nil {
						t.Fatalf("Run(%+v) = %v, %v; want an action that refuses", d, a, err)
					}
					if answers[i] != want {
						t.Fatalf("the kernel answers errno %d to %+v; want %d as Run says\n%v", answers[i].Errno, d, want.Errno, p)
					}
				}
				made += len(calls)
			}
			t.Logf("%d filters, %d calls", filters, made)
		})
	}
}

// programs returns how many programs to try, each with a victim of its own.
func programs(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// TestKernelKills loads programs whose actions end the victim or its thread.
func TestKernelKills(t *testing.T) {
	needSeccomp(t)
	when := []Cond{{Arg: 1, Op: Equal, Values: []uint64{1 << 32}}}
	for user, uid := range users() {
		for _, action := range []Action{ActionKillProcess, ActionKillThread, Trap(7)} {
			t.Run(user+"/"+action.String(), func(t *testing.T) {
				// All else is allowed: the runtime's signal handler makes calls.
				f := Filter{Tables: []Table{{Arch: abi.Native(), Default: ActionAllow, Rules: []Rule{
					{Nr: ghost, When: when, Then: action},
					{Nr: ghost, Then: Errno(1000)},
				}}}}
				p, err := f.Compile()
				if err != nil {
					t.Fatal(err)
				}
				spared := Data{Nr: ghost, Args: [6]uint64{0, 1}}
				answers, complaint, err := startVictim(p, []Data{spared}, uid)
				if err != nil || answers[0].Errno != 1000 {
					t.Fatalf("victim that does nothing: %v, %v %s; want errno 1000", answers, err, complaint)
				}
				hit := Data{Nr: ghost, Args: [6]uint64{0, 1 << 32}}
				answers, complaint, err = startVictim(p, []Data{hit}, uid)
				if got := fate(answers, complaint, err); got != action.Kind() {
					t.Errorf("victim: %v, %v\n%s; want %v", answers, err, complaint, action)
				}
			})
		}
	}
}

// fate tells from a victim's end which action it met.
func fate(answers []answer, complaint string, err error) Action {
	var exit *exec.ExitError
	switch {
	case err == nil && answers[0].Errno == threadKilled:
		return ActionKillThread
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGSYS:
		return ActionKillProcess
	case errors.As(err, &exit) && strings.Contains(complaint, "SIGSYS: bad system call"): // the Go runtime's handler
		return ActionTrap
	}
	return ActionAllow
}

// TestKernelValidates holds Validate to the kernel's judgement of programs.
func TestKernelValidates(t *testing.T) {
	needSeccomp(t)
	good, programs := 0, programs(100)
	for seed := range programs {
		p := randomMaker(uint64(seed)).program()
		_, complaint, err := startVictim(p, nil, -1)
		if err != nil && !strings.Contains(complaint, syscall.EINVAL.Error()) {
			t.Fatalf("victim: %v\n%s", err, complaint)
		}
		if invalid := p.Validate(); (invalid == nil) != (err == nil) {
			t.Fatalf("Validate() = %v, but the kernel says: %v %s\n%v", invalid, err, complaint, p)
		}
		if err == nil {
			good++
		}
	}
	if good < programs/10 || good > programs*9/10 {
		t.Errorf("%d of %d programs are valid; want some of each", good, programs)
	}
}

// TestKernelInterprets holds Run to what the kernel computes in programs of all
// instructions, and that end with an errno made of the accumulator.
func TestKernelInterprets(t *testing.T) {
	needSeccomp(t)
	valid, programs := 0, programs(150)
	for seed := range programs {
		m := randomMaker(uint64(seed))
		p := m.program()
		for pc := range p {
			switch {
			case p[pc].Code&0x07 == classRET:
				p[pc] = Instruction{Code: classALU | aluNEG}
			case p[pc].Code == opLoad && (p[pc].K == offIP || p[pc].K == offIP+4):
				p[pc].K = offLow(0) // Run can't know the address of the call
			}
		}
		p = append(p, Instruction{Code: opAnd, K: 0x7ff}, Instruction{Code: classALU | aluOR, K: uint32(Errno(0x400))},
			Instruction{Code: classRET | retA})
		if p.Validate() != nil {
			continue
		}
		valid++
		calls := make([]Data, 20)
		for i := range calls {
			calls[i] = Data{Nr: ghost + abi.Sysno(i), Arch: abi.Native().Audit(), Args: m.args(nil, 0)}
		}
		answers, complaint, err := startVictim(p, calls, -1)
		if err != nil {
			t.Fatalf("victim: %v\n%s", err, complaint)
		}
		for i, d := range calls {
			a, _, err := p.Run(d)
			if a == ActionKillThread && answers[i].Errno == threadKilled {
				break // division by zero ends the program with 0
			}
			if want, _ := a.want(); answers[i] != want || err != nil {
				t.Fatalf("the kernel answers errno %d to %+v; want %d as Run says (%v, %v)\n%v", answers[i].Errno, d, want.Errno, a, err, p)
			}
		}
	}
	if valid < programs/4 {
		t.Errorf("%d of %d programs are valid; want a quarter at least", valid, programs)
	}
}
