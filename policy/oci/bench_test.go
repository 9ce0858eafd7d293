package oci

import (
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/policy"
)

// BenchmarkLoadAndCompileOCI takes Moby's default profile from its bytes to the
// program for the kernel, as a runtime does at the start of each container.
// libseccomp needs about 1.4 ms for the second half alone.
func BenchmarkLoadAndCompileOCI(b *testing.B) {
	text := profiles(b)["default.json"]
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		profile, err := Parse("default.json", text)
		if err != nil {
			b.Fatal(err)
		}
		p, err := profile.Policy()
		if err != nil {
			b.Fatal(err)
		}
		compiled, err := p.Filter(policy.Target{Arch: abi.AMD64})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := compiled.Filter.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseOCI is the first part of it, from bytes to a Profile.
func BenchmarkParseOCI(b *testing.B) {
	text := profiles(b)["default.json"]
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse("default.json", text); err != nil {
			b.Fatal(err)
		}
	}
}
