package filter

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/callgate/callgate/abi"
)

// profilePath is where Debian's golang-github-containers-common puts the
// container world's default profile.
const profilePath = "/usr/share/containers/seccomp.json"

// profile is as much of an OCI seccomp profile as these tests need.
type profile struct {
	DefaultErrnoRet uint
	Syscalls        []struct {
		Names    []string
		Action   string
		ErrnoRet *uint
		Args     []struct {
			Index int
			Value uint64
			Op    string
		}
		Includes, Excludes struct {
			Caps, Arches []string
			MinKernel    string
		}
	}
}

// readProfile reads the default profile, or skips if it isn't installed.
func readProfile(t testing.TB) *profile {
	t.Helper()
	text, err := os.ReadFile(profilePath)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs golang-github-containers-common: no %s", profilePath)
	}
	if err != nil {
		t.Fatal(err)
	}
	var p profile
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("%s: %v", profilePath, err)
	}
	return &p
}

// table returns the rules for a container without capabilities.
func (p *profile) table(arch abi.Arch) Table {
	ops := map[string]Op{"SCMP_CMP_EQ": Equal, "SCMP_CMP_NE": NotEqual}
	table := Table{Arch: arch, Default: Errno(abi.Errno(p.DefaultErrnoRet))}
	for _, entry := range p.Syscalls {
		if len(entry.Includes.Caps) > 0 || len(entry.Includes.Arches) > 0 && !slices.Contains(entry.Includes.Arches, arch.String()) {
			continue
		}
		then := ActionAllow
		if entry.Action == "SCMP_ACT_ERRNO" {
			then = Errno(abi.Errno(*entry.ErrnoRet))
		}
		var when []Cond
		for _, arg := range entry.Args {
			when = append(when, Cond{Arg: arg.Index, Op: ops[arg.Op], Values: []uint64{arg.Value}})
		}
		for _, name := range entry.Names {
			if nr, ok := arch.Number(name); ok {
				table.Rules = append(table.Rules, Rule{Nr: nr, When: when, Then: then})
			}
		}
	}
	return table
}

// filter returns the profile for architectures.
func (p *profile) filter(arches ...abi.Arch) Filter {
	f := Filter{Foreign: Errno(abi.Errno(p.DefaultErrnoRet))}
	for _, arch := range arches {
		f.Tables = append(f.Tables, p.table(arch))
	}
	return f
}
