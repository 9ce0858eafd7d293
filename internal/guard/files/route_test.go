package files

import (
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/policy"
)

// Where patterns hide nothing, reading stays with the kernel; what a call may
// change stops all the same.
func TestRoute(t *testing.T) {
	allow := filter.Program{{Code: 0x06, K: uint32(filter.ActionAllow)}} // BPF_RET | BPF_K
	for _, c := range []struct {
		name       string
		args       [6]uint64
		hide, keep bool // whether it stops under patterns that hide, and that keep from changes
	}{
		{"openat", [6]uint64{2: syscall.O_RDONLY | syscall.O_CLOEXEC | syscall.O_DIRECTORY}, true, false},
		{"openat", [6]uint64{2: syscall.O_WRONLY}, true, true},
		{"openat", [6]uint64{2: syscall.O_RDWR}, true, true},
		{"openat", [6]uint64{2: syscall.O_ACCMODE}, true, true},
		{"openat", [6]uint64{2: syscall.O_RDONLY | syscall.O_TRUNC}, true, true},
		{"openat", [6]uint64{2: syscall.O_RDONLY | syscall.O_CREAT}, true, true},
		{"openat", [6]uint64{2: tmpFile | syscall.O_DIRECTORY}, true, true},
		{"openat2", [6]uint64{}, true, true},
		{"renameat2", [6]uint64{}, true, true},
		{"fchmod", [6]uint64{}, true, true},
		{"readlinkat", [6]uint64{}, false, false},
		{"execve", [6]uint64{}, true, false},
		{"newfstatat", [6]uint64{}, false, false},
		{"read", [6]uint64{}, false, false},
	} {
		for _, p := range []struct {
			files policy.Files
			want  bool
		}{
			{policy.Files{Hidden: []policy.Path{{Text: "/work/*.pem", Pattern: true}}}, c.hide},
			{policy.Files{ReadOnly: []policy.Path{{Text: "/work/*.lock", Pattern: true}}}, c.keep},
		} {
			patterns, err := (&policy.Policy{Files: p.files}).Patterns(policy.Target{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			program, err := New(patterns, nil, true, true).Route(allow, abi.Native(), &gate.Mux{})
			if err != nil {
				t.Fatal(err)
			}
			number, _ := abi.Native().Number(c.name)
			action, _, err := program.Run(filter.DataOf(abi.Call{Arch: abi.Native(), Nr: number, Args: c.args}))
			if stops := action == filter.ActionNotify; stops != p.want || err != nil {
				t.Errorf("%s%v with %v: stops: %v, %v; want %v", c.name, c.args, p.files, stops, err, p.want)
			}
		}
	}
}
