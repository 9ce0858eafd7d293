package guard

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
	"github.com/callgate/callgate/policy"
)

// foretold runs one call past Foretell and returns what the taps were told.
func foretold(t *testing.T, p *policy.Policy, target policy.Target, call string, args ...any) (string, abi.Errno) {
	t.Helper()
	judge, err := p.Judge(target)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := p.Filter(target)
	if err != nil {
		t.Fatal(err)
	}
	program, err := compiled.Filter.Compile()
	if err != nil {
		t.Fatal(err)
	}
	stopping, handler := Refuse(program, abi.AMD64, judge)
	mux := &gate.Mux{Otherwise: handler}
	asked := &prophet{judge, func(_ int, name string) bool { return filepath.Base(name) == "own" }}
	if _, err := foretell(stopping, abi.AMD64, mux, asked); err != nil {
		t.Fatal(err)
	}
	var r Refusals
	source := gatetest.NewSource()
	asUs := gate.HandlerFunc(func(ctx context.Context, t *gate.Trap) gate.Verdict {
		t.Task.TID = os.Getpid() // who may do what is asked of a real task
		return mux.Handle(ctx, t)
	})
	g := gate.Gate{Source: source, Handler: asUs, Taps: []gate.Tap{&r}}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()
	var registers []uint64
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			registers = append(registers, source.Put([]byte(v+"\x00")))
		case []byte:
			registers = append(registers, source.Put(v))
		case int:
			registers = append(registers, uint64(v))
		}
	}
	source.Call(call, registers...)
	source.End()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	list, _ := r.Summary()
	if len(list) == 0 {
		return "", 0
	}
	return list[0].Why.Text, list[0].Errno
}

func TestForetell(t *testing.T) {
	home, outside := t.TempDir(), t.TempDir()
	for _, name := range []string{home + "/secret", home + "/notes", outside + "/own"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := policy.Target{Arch: abi.AMD64, Dir: home, Home: "/nowhere"}
	if err := target.Kernel.UnmarshalText([]byte("6.1")); err != nil {
		t.Fatal(err)
	}
	preset, ok := policy.Preset("default")
	if !ok {
		t.Fatal("no preset default")
	}
	p := policy.Merge(preset.Expand(target), &policy.Policy{
		Files:   policy.Files{ReadOnly: []policy.Path{{Text: home}}, Hidden: []policy.Path{{Text: home + "/secret"}}},
		Network: policy.Network{Mode: policy.Setting[policy.NetworkMode]{Value: policy.HostNetwork, At: policy.Origin{File: "flag"}}, Connect: policy.Setting[[]policy.Destination]{Value: []policy.Destination{{Port: 443}}, At: policy.Origin{File: "flag"}}},
	})
	here := -100
	to := func(family, port uint16) []byte {
		address := make([]byte, 16)
		binary.LittleEndian.PutUint16(address, family)
		binary.BigEndian.PutUint16(address[2:], port)
		return address
	}
	for _, c := range []struct {
		name  string
		call  string
		args  []any
		errno abi.Errno // 0: nothing is foretold
	}{
		{"a hidden file", "openat", []any{here, home + "/secret", 0}, abi.EACCES},
		{"by a way round", "openat", []any{here, home + "/./x/../secret", 0}, abi.EACCES},
		{"a file that may be read", "openat", []any{here, home + "/notes", 0}, 0},
		{"a file that may only be read", "openat", []any{here, home + "/notes", 1}, abi.EROFS},
		{"a file that isn't granted", "openat", []any{here, outside, 0}, abi.ENOENT},
		{"a file that nobody has", "openat", []any{here, outside + "/none", 0}, 0},
		{"a folder made where nothing may", "mkdirat", []any{here, home + "/made", 0o755}, abi.EROFS},
		{"the second of two paths", "linkat", []any{here, outside + "/own", here, home + "/made", 0}, abi.EROFS},
		{"a file moved between mounts", "renameat", []any{here, outside + "/own", here, home + "/made"}, 0},
		{"a folder made where there is one", "mkdirat", []any{here, home, 0o755}, 0},
		{"a file that is to be new", "openat", []any{here, home + "/notes", 0o301}, 0},
		{"a port of its own", "connect", []any{3, to(2, 1), 16}, abi.EACCES},
		{"a file that the program has of its own", "openat", []any{here, outside + "/own", 0}, 0},
		{"an address that leads nowhere", "openat", []any{here, 0, 0}, 0},
		{"a port that isn't granted", "connect", []any{3, to(2, 80), 16}, abi.EACCES},
		{"one that is", "connect", []any{3, to(10, 443), 16}, 0},
		{"no port", "connect", []any{3, to(1, 80), 16}, 0},
		{"what the filter refuses", "mount", []any{0, 0, 0}, abi.EPERM},
	} {
		text, errno := foretold(t, p, target, c.call, c.args...)
		if errno != c.errno || errno != 0 && text == "" {
			t.Errorf("%s: %q, %v; want %v", c.name, text, errno, c.errno)
		}
	}
}

// Relative paths begin where the task is, or at a descriptor of its.
func TestAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	folder, err := os.Open("/usr")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	openat, _ := abi.Lookup("openat")
	for _, c := range []struct {
		fd   int
		text string
		want string
	}{
		{-100, "file", dir + "/file"},
		{-100, "../x", filepath.Dir(dir) + "/x"},
		{int(folder.Fd()), "share/../lib", "/usr/lib"},
		{int(folder.Fd()), "/etc//passwd", "/etc/passwd"},
		{9999, "file", ""},
	} {
		trap := &gate.Trap{}
		trap.Task.TID = os.Getpid()
		trap.Args[0] = uint64(c.fd)
		if got := absolute(trap, openat, 1, c.text); got != c.want {
			t.Errorf("absolute(%d, %q) = %q; want %q", c.fd, c.text, got, c.want)
		}
	}
}

// What a call that names a file costs the gate, beside stopping it.
func BenchmarkForetell(b *testing.B) {
	target := policy.Target{Arch: abi.AMD64, Dir: "/", Home: "/nowhere"}
	if err := target.Kernel.UnmarshalText([]byte("6.1")); err != nil {
		b.Fatal(err)
	}
	preset, _ := policy.Preset("default")
	judge, err := preset.Expand(target).Judge(target)
	if err != nil {
		b.Fatal(err)
	}
	source := gatetest.NewSource()
	go source.Call("openat", 1<<64-100, source.Put([]byte("/usr/lib/python3/dist-packages/x.py\x00")))
	trap, err := source.Next(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	handler := &prophet{judge, taskHas}
	for b.Loop() {
		again := gate.Trap{Call: trap.Call, ID: trap.ID, Task: trap.Task, Memory: trap.Memory}
		if v := handler.Handle(context.Background(), &again); v.Err() != nil {
			b.Fatal(v.Err())
		}
	}
}
