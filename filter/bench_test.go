package filter

import (
	"testing"

	"github.com/callgate/callgate/abi"
)

func BenchmarkCompileProfile(b *testing.B) {
	benchmarkCompile(b, abi.AMD64)
}

func BenchmarkCompileProfileArches(b *testing.B) {
	benchmarkCompile(b, abi.AMD64, abi.I386, abi.X32)
}

func benchmarkCompile(b *testing.B, arches ...abi.Arch) {
	f := readProfile(b).filter(arches...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Compile(); err != nil {
			b.Fatal(err)
		}
	}
	p, err := f.Compile()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(p)), "instructions")
}

// BenchmarkRun interprets the default profile's program for a call that is
// decided by its number, and reports the instructions executed for that and
// other calls beside those of libseccomp's programs.
func BenchmarkRun(b *testing.B) {
	f := readProfile(b).filter(abi.AMD64)
	f.Foreign = ActionKillProcess
	p, err := f.Compile()
	if err != nil {
		b.Fatal(err)
	}
	peer := startLibseccomp(b)
	list, tree := peer.compile(b, &f, 1), peer.compile(b, &f, 2)
	for _, call := range []struct {
		name string
		args [6]uint64
	}{
		{name: "read"},
		{name: "write"},
		{name: "futex"},
		{name: "openat"},
		{name: "epoll_wait"},
		{name: "clone3"},
		{name: "mount"},
		{name: "socket", args: [6]uint64{2, 1}},
		{name: "personality", args: [6]uint64{0xffffffff}},
	} {
		b.Run(call.name, func(b *testing.B) {
			nr, ok := abi.AMD64.Number(call.name)
			if !ok {
				b.Fatalf("amd64 has no call %s", call.name)
			}
			d := Data{Nr: nr, Arch: abi.AMD64.Audit(), Args: call.args}
			for b.Loop() {
				if _, _, err := p.Run(d); err != nil {
					b.Fatal(err)
				}
			}
			for name, p := range map[string]Program{"steps": p, "libseccomp-list-steps": list, "libseccomp-tree-steps": tree} {
				_, steps, err := p.Run(d)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(steps), name)
			}
		})
	}
}
